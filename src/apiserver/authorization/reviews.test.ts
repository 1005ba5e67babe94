import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client, Identity } from '#client/client.ts';
import {
  LocalSubjectAccessReview,
  Role,
  RoleBinding,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from '#kinds/generated/handles.ts';
import type { ResourceAttributes, SubjectAccessReviewStatus } from '#kinds/generated/types/authorization_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import { abacAuthorizer } from './abac.ts';

const version = 'abac.authorization.kubernetes.io/v1beta1';

/** A server that reads these policies first, and then looks at nodes and roles as it does without. */
async function serverWithPolicies(t: TestContext, policies: readonly object[]): Promise<TestApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'abac-'));
  const policyFile = join(folder, 'policies');
  const lines = policies.map((policy) => JSON.stringify(policy));
  writeFileSync(policyFile, ['# who may what', '', ...lines].join('\n'));
  const server = await startApiServer({ authorization: { modes: ['ABAC', 'Node', 'RBAC'], policyFile } });
  t.after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  return server;
}

async function review(client: Client, spec: object): Promise<SubjectAccessReviewStatus> {
  const { status } = await client.create(SubjectAccessReview, { metadata: {}, spec } as never);
  return status!;
}

test('a file of policies grants by user, group, namespace, resource, group of resources and path', async (t) => {
  const policy = (spec: object) => ({ apiVersion: version, kind: 'Policy', spec });
  const { client } = await serverWithPolicies(t, [
    policy({ user: 'alice', namespace: 'projects', resource: 'pods', apiGroup: '*' }),
    policy({ user: 'bob', namespace: '*', resource: '*', apiGroup: '', readonly: true }),
    policy({ group: 'viewers', readonly: true, nonResourcePath: '/version*' }),
    policy({ user: '*', nonResourcePath: '/for-all' }),
    policy({ user: 'carol', group: 'ops', namespace: '*', resource: 'nodes', apiGroup: '*' }),
    policy({ namespace: '*', resource: '*', apiGroup: '*', nonResourcePath: '*' }),
    { user: 'dave', namespace: 'old' },
  ]);
  const can = async (user: string, groups: string[], verb: string, asked: string, namespace = ''): Promise<boolean> => {
    const [resource = '', group = ''] = asked.split('.');
    const attributes = asked.startsWith('/')
      ? { nonResourceAttributes: { verb, path: asked } }
      : { resourceAttributes: { verb, resource, group, namespace } };
    const { allowed, reason } = await review(client, { user, groups, ...attributes });
    assert.equal(reason ?? '', allowed ? '' : 'No policy matched.');
    return allowed;
  };
  assert.equal(await can('alice', [], 'create', 'pods', 'projects'), true);
  assert.equal(await can('alice', [], 'create', 'pods', 'other'), false);
  assert.equal(await can('alice', [], 'create', 'services', 'projects'), false);
  assert.equal(await can('bob', [], 'watch', 'services', 'any'), true);
  assert.equal(await can('bob', [], 'create', 'services', 'any'), false);
  assert.equal(await can('bob', [], 'get', 'deployments.apps', 'any'), false);
  assert.equal(await can('vera', ['viewers'], 'get', '/version/x'), true);
  assert.equal(await can('vera', ['viewers'], 'get', '/versio'), false);
  assert.equal(await can('vera', ['viewers'], 'post', '/version'), false);
  assert.equal(await can('carol', [], 'get', 'nodes'), false);
  assert.equal(await can('carol', ['ops'], 'get', 'nodes'), true);
  assert.equal(await can('dave', [], 'delete', 'deployments.apps', 'old'), true);
  assert.equal(await can('dave', [], 'delete', 'deployments.apps', 'new'), false);
  // A star means whoever has said who they are.
  assert.equal(await can('eve', ['system:unauthenticated'], 'get', '/for-all'), false);
  assert.equal(await can('eve', ['system:authenticated'], 'get', '/for-all'), true);
});

test('a policy that cannot be read is named by its line', () => {
  assert.throws(() => abacAuthorizer('\n# fine\n{"kind":"Polic'), /^Error: error reading policy file line 3: /);
  assert.throws(() => abacAuthorizer('{"apiVersion":"v1","kind":"Policy"}'), /line 1: expected abac/);
});

/** `resources.group verbs` of each rule, sorted. */
async function rules(client: Client, namespace: string): Promise<readonly string[]> {
  const { status } = await client.create(SelfSubjectRulesReview, { metadata: {}, spec: { namespace } } as never);
  assert.equal(status?.incomplete, status?.evaluationError !== undefined);
  return [
    ...status!.resourceRules.map(({ resources, verbs, apiGroups, resourceNames }) =>
      [...apiGroups!, ...resources!, ...(resourceNames ?? []), ...verbs].join(' '),
    ),
    ...status!.nonResourceRules.map(({ nonResourceURLs, verbs }) => [...nonResourceURLs!, ...verbs].join(' ')),
    ...(status?.evaluationError === undefined ? [] : [status.evaluationError]),
  ].sort();
}

test('the rules that somebody has come from every authoriser that is asked, and say when some cannot tell', async (t) => {
  const policy = {
    user: 'ann',
    namespace: 'default',
    resource: 'pods',
    apiGroup: '',
    readonly: true,
    nonResourcePath: '/x',
  };
  const { client, as } = await serverWithPolicies(t, [{ apiVersion: version, kind: 'Policy', spec: policy }]);
  const namespace = 'default';
  await client.create(Role, {
    metadata: { name: 'scaler', namespace },
    rules: [{ verbs: ['get'], apiGroups: ['apps'], resources: ['deployments/scale'], resourceNames: ['web'] }],
  });
  await client.create(RoleBinding, {
    metadata: { name: 'scaler', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'scaler' },
    subjects: [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  const ann = as({ user: 'ann' });
  const elsewhere = await rules(ann, 'elsewhere');
  const added = (await rules(ann, namespace)).filter((rule) => !elsewhere.includes(rule));
  assert.deepEqual(added, [' pods get list watch', '/x get list watch', 'apps deployments/scale web get']);
  const node: Identity = { user: 'system:node:n1', groups: ['system:nodes'] };
  assert.ok((await rules(as(node), namespace)).includes('node authorizer does not support user rule resolution'));
  await assert.rejects(rules(ann, ''), { reason: 'BadRequest', message: 'no namespace on request' });
});

test('who asks in one namespace asks about that one, and about nothing outside the API', async (t) => {
  const { client, stop } = await startApiServer();
  t.after(stop);
  const ask = (spec: object) =>
    client.create(LocalSubjectAccessReview, { metadata: { namespace: 'shop' }, spec: { user: 'u', ...spec } } as never);
  const attributes = { verb: 'get', resource: 'pods', namespace: 'shop' };
  const { metadata, status } = await ask({ groups: ['system:masters'], resourceAttributes: attributes });
  assert.deepEqual([metadata.namespace, status?.allowed], ['shop', true]);
  const causes = (error: unknown): string =>
    error instanceof ApiError ? (error.status.details?.causes ?? []).map(({ field }) => field).join() : String(error);
  const refused = async (spec: object, fields: string): Promise<void> => {
    assert.equal(await ask(spec).then(() => 'allowed', causes), fields);
  };
  await refused({ resourceAttributes: { ...attributes, namespace: 'other' } }, 'spec.resourceAttributes.namespace');
  await refused({ nonResourceAttributes: { verb: 'get', path: '/' } }, 'spec.nonResourceAttributes');
  await refused({}, 'spec.resourceAttributes');
});

test('a question narrowed down by selectors is answered for what is selected', async (t) => {
  const { client, stop } = await startApiServer();
  t.after(stop);
  const ofNode = async (asked: ResourceAttributes) => {
    const { allowed, evaluationError, reason } = await review(client, {
      user: 'system:node:n1',
      groups: ['system:nodes'],
      resourceAttributes: { verb: 'list', resource: 'pods', ...asked },
    });
    return [allowed, evaluationError ?? reason];
  };
  const onlyOwn = 'can only list/watch pods with spec.nodeName field selector';
  assert.deepEqual(await ofNode({}), [false, onlyOwn]);
  assert.deepEqual(await ofNode({ fieldSelector: { rawSelector: 'spec.nodeName=n1' } }), [true, undefined]);
  assert.deepEqual(await ofNode({ fieldSelector: { rawSelector: 'spec.nodeName=n2' } }), [false, onlyOwn]);
  const requirements = [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }];
  assert.deepEqual(await ofNode({ fieldSelector: { requirements } }), [true, undefined]);
  assert.deepEqual(await ofNode({ fieldSelector: { rawSelector: 'spec.nodeName' } }), [
    false,
    'spec.resourceAttributes.fieldSelector ignored due to parse error',
  ]);
  // A selector is no name: only a request's own URL is read as one.
  const byName = { resource: 'nodes', fieldSelector: { rawSelector: 'metadata.name=n1' } };
  const onlyItself = "node 'n1' cannot read all nodes, only its own Node object";
  assert.deepEqual(await ofNode(byName), [false, onlyItself]);
  assert.deepEqual(await ofNode({ resource: 'nodes', name: 'n1' }), [true, undefined]);
});
