import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { sleep, systemClock } from '#base/clock.ts';
import { APIService as ApiServiceKind, Service } from '#kinds/generated/handles.ts';
import type { APIService } from '#kinds/generated/types/apiregistration_v1.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import { createAuthority, issueLeaf, type KeyPair } from '../certificates/authority.ts';
import { discoveredGroups } from '../discovery/groups.ts';
import { compareVersions } from './priorities.ts';
import { proxyToServer } from './proxy.ts';

const group = 'flowers.example.org';

/** The aggregated server answers over a real socket. */
const machineClock = systemClock({ keepAlive: true });

let authority: KeyPair;
let proxyClient: KeyPair;
let remote: Server;
let api: TestApiServer;
/** Headers of what reached the aggregated server last. */
let received: IncomingMessage['headers'] = {};

const resources = [
  { name: 'roses', singularName: 'rose', namespaced: true, kind: 'Rose', verbs: ['get', 'list'], shortNames: ['ro'] },
  { name: 'roses/status', singularName: '', namespaced: true, kind: 'Rose', verbs: ['get'] },
];

before(async () => {
  const now = machineClock.now();
  authority = await createAuthority('an authority', now);
  proxyClient = await issueLeaf(authority, { commonName: 'front-proxy-client', usage: 'client', now });
  const serving = await issueLeaf(authority, {
    commonName: 'flowers',
    hosts: ['flowers.default.svc'],
    usage: 'server',
    now,
  });
  const options = { cert: serving.certificate, key: serving.key, ca: authority.certificate, requestCert: true };
  remote = createServer(options, (incoming, response) => {
    received = incoming.headers;
    const paths: Readonly<Record<string, object>> = {
      [`/apis/${group}/v1`]: { kind: 'APIResourceList', groupVersion: `${group}/v1`, resources },
      [`/apis/${group}/v1/roses`]: { kind: 'RoseList', items: [] },
    };
    const document = paths[(incoming.url ?? '').split('?')[0]!];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
  api = await startApiServer({ proxyIdentity: () => proxyClient });
});

after(async () => {
  await api.stop();
  remote.close();
  remote.closeAllConnections();
});

function apiService(spec: Partial<APIService['spec']> = {}): APIService {
  const { port } = remote.address() as AddressInfo;
  return {
    metadata: { name: `v1.${group}` },
    spec: {
      group,
      version: 'v1',
      groupPriorityMinimum: 2000,
      versionPriority: 10,
      service: { namespace: 'default', name: 'flowers', port },
      caBundle: Buffer.from(authority.certificate).toString('base64'),
      ...spec,
    },
  };
}

async function availability(wanted: string): Promise<string> {
  for (let tries = 0; tries < 500; tries++) {
    const { status } = await api.client.get(ApiServiceKind, { name: `v1.${group}` });
    const found = status?.conditions?.find(({ type }) => type === 'Available');
    const shown = `${found?.status} ${found?.reason}: ${found?.message}`;
    if (shown.startsWith(wanted)) return shown;
    await sleep(machineClock, 1);
    await api.environment.clock.advance(1000);
  }
  assert.fail(`never became ${wanted}`);
}

test('every group of the server itself has an APIService that is always available', async () => {
  await api.environment.clock.advance(0);
  const { items } = await api.client.list(ApiServiceKind);
  const names = items.map(({ metadata }) => metadata.name);
  assert.ok(names.includes('v1.') && names.includes('v1.apps') && !names.includes('v1.apiregistration.k8s.io'));
});

test('an aggregated server is available once its service leads to it, and says why not until then', async () => {
  await api.client.create(ApiServiceKind, apiService());
  assert.equal(await availability('False'), 'False ServiceNotFound: service/flowers in "default" is not present');
  await api.client.create(Service, {
    metadata: { name: 'flowers', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: '127.0.0.1' },
  });
  assert.equal(await availability('True'), 'True Passed: all checks passed');
});

test('its group stands in discovery by its priority, with subresources inside their resources', () => {
  const { aggregator, resources: table } = api.server;
  const groups = discoveredGroups(table, aggregator!.remotes);
  const names = groups.map(({ group: name }) => name);
  assert.ok(names.indexOf(group) > names.indexOf('apps'));
  const [version] = groups.find(({ group: name }) => name === group)!.versions;
  assert.deepEqual(version?.remote?.discovery?.resources, [
    {
      resource: 'roses',
      responseKind: { group, version: 'v1', kind: 'Rose' },
      scope: 'Namespaced',
      singularResource: 'rose',
      verbs: ['get', 'list'],
      shortNames: ['ro'],
      subresources: [{ subresource: 'status', responseKind: { group, version: 'v1', kind: 'Rose' }, verbs: ['get'] }],
    },
  ]);
});

test('a request reaches it in the name of who asks, whatever the client says of itself', async () => {
  const found = api.server.aggregator!.remoteOf(`/apis/${group}/v1/roses`)!;
  const user = { name: 'jane', groups: ['gardeners', 'system:authenticated'], extra: { 'example.org/bed': ['3'] } };
  const front = (await import('node:http')).createServer((incoming, response) => {
    const signal = new AbortController().signal;
    void proxyToServer({ clock: machineClock, remote: found.server, request: incoming, response, user, signal });
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  const headers = { authorization: 'Bearer secret', 'x-remote-user': 'root', 'x-remote-group': 'system:masters' };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: `/apis/${group}/v1/roses?limit=1`, headers, agent: false }, resolve)
      .once('error', reject)
      .end();
  });
  let text = '';
  for await (const chunk of answer) text += chunk;
  assert.deepEqual([answer.statusCode, JSON.parse(text).kind], [200, 'RoseList']);
  assert.equal(received['x-remote-user'], 'jane');
  assert.equal(received['x-remote-group'], 'gardeners, system:authenticated');
  assert.equal(received['x-remote-extra-example.org%2fbed'], '3');
  assert.equal(received.authorization, undefined);
  front.close();
});

test('versions are preferred as people number them', () => {
  const versions = ['v1beta1', 'foo', 'v2', 'v1', 'v1alpha1', 'v10', 'v1beta2'];
  assert.deepEqual(versions.sort(compareVersions), ['v10', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'foo']);
});
