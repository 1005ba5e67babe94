import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpClient, type HttpClient } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { ServiceAccount } from '#kinds/generated/handles.ts';
import { ApiError } from '#machinery/errors.ts';
import { startHttpCluster } from './http-cluster.ts';

interface Discovered {
  readonly resources: readonly {
    readonly name: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

interface Printed {
  readonly kind: string;
  readonly columnDefinitions: readonly unknown[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[] | null;
}

/** What anybody may read without a name. */
const publicPaths = new Set(['/healthz', '/livez', '/readyz', '/version']);
/** What a service account may read besides. */
const ownPaths = /^\/(api|apis|openapi|openid|\.well-known)(\/|$)/;
/** What everybody with a name may ask about themselves. */
const ownQuestions = /\/self(subject\w*reviews)$/;

const methods: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  get: 'GET',
  list: 'GET',
  watch: 'GET',
};

async function codeOf(client: HttpClient, method: string, path: string): Promise<number> {
  const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
  const body = method === 'GET' ? {} : { body: '{}' };
  try {
    const response = await client.raw({ method, path, headers, ...body });
    response.body.destroy();
    return response.status;
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
}

async function json<T>(client: HttpClient, path: string): Promise<T> {
  return JSON.parse(await client.rawText({ path })) as T;
}

/** Every route: what the root lists, and each verb of each resource and subresource that discovery tells of. */
async function* allRoutes(admin: HttpClient): AsyncGenerator<readonly [method: string, path: string]> {
  const { paths } = await json<{ readonly paths: readonly string[] }>(admin, '/');
  for (const path of [...paths, '/', '/debug/api_priority_and_fairness/dump_queues', '/nothing/here'])
    yield ['GET', path];
  for (const path of paths) {
    if (!/^\/api(\/v1|s\/[^/]+\/[^/]+)$/.test(path)) continue;
    for (const { name, namespaced, verbs } of (await json<Discovered>(admin, path)).resources) {
      const [resource = '', subresource] = name.split('/');
      const all = `${path}${namespaced ? '/namespaces/default' : ''}/${resource}`;
      const one = subresource === undefined ? `${all}/some` : `${all}/some/${subresource}`;
      for (const verb of verbs) {
        const onAll = subresource === undefined && ['create', 'list', 'deletecollection'].includes(verb);
        const route = verb === 'watch' ? `${all}?watch=true` : onAll ? all : one;
        yield [methods[verb] ?? 'GET', route];
      }
      if (namespaced && subresource === undefined) yield ['GET', `${path}/${resource}`];
    }
  }
}

test('who has no rights is refused on every route but the public ones', async (t) => {
  const cluster = await startHttpCluster();
  t.after(() => cluster.stop());
  const { client: access } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const { server, ca } = access;
  await cluster.client.create(ServiceAccount, { metadata: { name: 'nobody', namespace: 'default' } });
  const ref = { name: 'nobody', namespace: 'default' };
  const issued = await cluster.client.createSubresource(ServiceAccount, ref, 'token', { spec: {} });
  const { token } = issued['status'] as { readonly token: string };
  const admin = createHttpClient(access);
  const account = createHttpClient({ server, ca, token });
  const anonymous = createHttpClient({ server, ca });
  t.after(() => [admin, account, anonymous].map((client) => client.close()));
  const wrong: string[] = [];
  let walked = 0;
  for await (const [method, path] of allRoutes(admin)) {
    walked++;
    const isPublic = method === 'GET' && publicPaths.has(path);
    const mayAccount =
      isPublic || (method === 'GET' && ownPaths.test(path) && !/^\/(api\/v1|apis\/[^/]+\/[^/]+)\//.test(path));
    const code = await codeOf(anonymous, method, path);
    if ((code === 403) === isPublic) wrong.push(`anonymous ${method} ${path}: ${code}`);
    if (method === 'POST' && ownQuestions.test(path)) continue;
    const accountCode = await codeOf(account, method, path);
    if ((accountCode === 403) === mayAccount) wrong.push(`account ${method} ${path}: ${accountCode}`);
  }
  assert.ok(walked > 500, `only ${walked} routes`);
  assert.deepEqual(wrong, []);
  const unbelieved = createHttpClient({ server, ca, token: 'made.up.token' });
  assert.equal(await codeOf(unbelieved, 'GET', '/version'), 401);
  unbelieved.close();
});

test('whatever can be listed can be printed', async (t) => {
  const cluster = await startHttpCluster();
  t.after(() => cluster.stop());
  const admin = createHttpClient(loadKubeconfig({ path: cluster.kubeconfig, environment: {} }).client);
  t.after(() => admin.close());
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
  const { paths } = await json<{ readonly paths: readonly string[] }>(admin, '/');
  let printed = 0;
  for (const path of paths.filter((one) => /^\/api(\/v1|s\/[^/]+\/[^/]+)$/.test(one)))
    for (const { name, verbs } of (await json<Discovered>(admin, path)).resources) {
      if (!verbs.includes('list')) continue;
      const table = JSON.parse(await admin.rawText({ path: `${path}/${name}`, headers })) as Printed;
      assert.equal(table.kind, 'Table', `${path}/${name}`);
      // Upstream gives some kinds a cell without a column.
      for (const { cells } of table.rows ?? []) assert.ok(cells.length >= table.columnDefinitions.length, name);
      printed++;
    }
  assert.ok(printed > 60, `only ${printed} kinds`);
});
