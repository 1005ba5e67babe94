import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { createAuthority, issueLeaf } from '#apiserver/certificates/authority.ts';
import { sleep, systemClock } from '#base/clock.ts';
import { hasEtcd, startEtcd } from '../etcd.ts';

const assets = join(import.meta.dirname, '../../bin/envtest');
const clock = systemClock({ keepAlive: true });
const startLimitMs = 30_000;
/** After which envtest says "timeout waiting for process kube-apiserver to stop", milliseconds. */
const stopLimitMs = 20_000;

let folder: string;
let port: number;
const running: ChildProcess[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proa-envtest-'));
  const [etcdPort, apiPort] = [await freePort(), await freePort()];
  port = apiPort;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(folder, 'tokens.csv'), 'secret,admin,1,"system:masters"\nother,jane,2,people\n');
  const named = await issueLeaf(await createAuthority('somebody', clock.now()), {
    commonName: 'named',
    hosts: [],
    usage: 'server',
    now: clock.now(),
  });
  await writeFile(join(folder, 'named.crt'), named.certificate);
  await writeFile(join(folder, 'named.key'), named.key);
  // The command lines of controller-runtime's envtest, and more.
  start('etcd', [
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    '--listen-peer-urls=http://localhost:0',
    '--unsafe-no-fsync',
  ]);
  await until(async () => (await fetch(`http://127.0.0.1:${etcdPort}/health`)).ok);
  start('kube-apiserver', [
    '--allow-privileged=true',
    '--authorization-mode=RBAC',
    '--bind-address=127.0.0.1',
    `--cert-dir=${folder}`,
    '--disable-admission-plugins=ServiceAccount',
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${apiPort}`,
    `--service-account-issuer=https://127.0.0.1:${apiPort}/`,
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--runtime-config=autoscaling/v1=false,api/alpha=false',
    '--cors-allowed-origins=^https://ui\\.example\\.com$',
    '--strict-transport-security-directives=max-age=3600',
    '--min-request-timeout=1',
    '--enable-garbage-collector=false',
    '--disabled-metrics=apiserver_request_body_size_bytes',
    '--allow-metric-labels="authentication_attempts,result=failure"',
    `--tls-sni-cert-key=${join(folder, 'named.crt')},${join(folder, 'named.key')}:*.example.com`,
  ]);
  await until(async () => (await ask('GET', '/readyz')).status === 200);
});

after(async () => {
  await Promise.all(running.map(ended));
  await rm(folder, { recursive: true, force: true });
});

/** Resolves to the exit code. */
function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  const end = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  return end;
}

function start(program: string, args: readonly string[]): void {
  running.push(spawn(join(assets, program), args, { stdio: 'ignore' }));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = clock.monotonic() + startLimitMs;
  while (!(await holds().catch(() => false))) {
    assert.ok(clock.monotonic() < end, 'never came up');
    await sleep(clock, 50);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

async function ask(
  method: string,
  path: string,
  body?: object,
  token = 'secret',
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const ca = await readFile(join(folder, 'apiserver.crt'), 'utf8').catch(() => undefined);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more };
  // The certificate was made for this run, and its authority is nobody's.
  const place = { host: '127.0.0.1', port, method, path, headers, rejectUnauthorized: false, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = request({ ...place, ...(ca === undefined ? {} : { ca }) }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers });
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test('an operator’s suite finds an API server in which its kinds can be defined and used at once', async () => {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
  const defined = await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  assert.equal(defined.status, 201);
  const widget = { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'a' } };
  const made = await ask('POST', '/apis/example.org/v1/namespaces/default/widgets', widget);
  assert.equal(made.status, 201);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const discovery = await ask('GET', '/apis', undefined, 'secret', { accept });
  // Upstream sorts the verbs of its own kinds alone.
  const inOrder = '"verbs":["delete","deletecollection","get","list","patch","create","update","watch"]';
  assert.equal(discovery.text.split(inOrder).length, 2);
});

test('who has no role is refused', async () => {
  const { status, text } = await ask('GET', '/api/v1/secrets', undefined, 'other');
  assert.equal(status, 403);
  assert.match(text, /User \\"jane\\" cannot list resource \\"secrets\\" in API group \\"\\" at the cluster scope/);
});

test('what --runtime-config switches off is neither served nor listed, and the rest is', async () => {
  const found = async (path: string): Promise<number> => (await ask('GET', path)).status;
  assert.equal(await found('/apis/autoscaling/v1'), 404);
  assert.equal(await found('/apis/autoscaling/v1/horizontalpodautoscalers'), 404);
  assert.equal(await found('/apis/autoscaling/v2/horizontalpodautoscalers'), 200);
  const { text } = await ask('GET', '/apis');
  const versions = (JSON.parse(text) as { groups: { versions: { groupVersion: string }[] }[] }).groups.flatMap(
    (group) => group.versions.map(({ groupVersion }) => groupVersion),
  );
  assert.equal(versions.includes('autoscaling/v1'), false);
  assert.deepEqual(
    versions.filter((version) => version.includes('alpha')),
    [],
  );
  assert.ok(versions.includes('resource.k8s.io/v1beta1'));
});

test('pages of an allowed origin may ask, those of others may not, and all hear to come over HTTPS', async () => {
  const from = (origin: string, method: string): Promise<Answer> =>
    ask(method, '/version', undefined, 'secret', { origin });
  const before = await from('https://ui.example.com', 'OPTIONS');
  assert.equal(before.status, 204);
  assert.equal(before.headers['access-control-allow-methods'], 'POST, GET, OPTIONS, PUT, DELETE, PATCH');
  const asked = await from('https://ui.example.com', 'GET');
  assert.equal(asked.status, 200);
  assert.equal(asked.headers['access-control-allow-origin'], 'https://ui.example.com');
  assert.equal(asked.headers['strict-transport-security'], 'max-age=3600');
  const other = await from('https://ui.example.com.evil.org', 'GET');
  assert.equal(other.headers['access-control-allow-origin'], undefined);
});

test('who asks for a host by its name gets the certificate for it', async () => {
  const nameSeen = (servername: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.once('error', reject);
    });
  assert.equal(await nameSeen('api.example.com'), 'named');
  assert.equal(await nameSeen('deep.api.example.com'), 'kube-apiserver');
  assert.equal(await nameSeen('localhost'), 'kube-apiserver');
});

test('both programs list their flags, and refuse what they do not know', async () => {
  const run = promisify(execFile);
  assert.match((await run(join(assets, 'etcd'), ['--help'])).stdout, /^ {2}--unsafe-no-fsync$/m);
  assert.match((await run(join(assets, 'kube-apiserver'), ['--help'])).stdout, /^ {2}--secure-port$/m);
  await assert.rejects(run(join(assets, 'kube-apiserver'), ['--nope']), {
    code: 1,
    stderr: 'Error: unknown flag: --nope\n',
  });
});

test('what cannot be done as a flag says is refused at the start', async () => {
  const run = promisify(execFile);
  const refused = async (...flags: readonly string[]): Promise<string> => {
    const needed = [
      '--etcd-servers=http://127.0.0.1:1',
      '--service-account-issuer=a',
      `--service-account-key-file=${join(folder, 'sa.pub')}`,
      `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
      `--cert-dir=${folder}`,
    ];
    const outcome = await run(join(assets, 'kube-apiserver'), [...needed, ...flags]).catch((error) => error);
    return String(outcome.stderr);
  };
  assert.match(await refused('--runtime-config=foo/v1=true'), /unknown api groups foo\/v1/);
  assert.match(await refused('--runtime-config=apps/v9=true'), /group version apps\/v9 that has not been registered/);
  assert.match(await refused('--cors-allowed-origins=example.com'), /does not pin to start\/end of host/);
  assert.match(await refused('--etcd-servers-overrides=/events#http://127.0.0.1:2'), /the one store/);
  assert.match(await refused('--egress-selector-config-file=x'), /egress selectors are not supported/);
});

if (hasEtcd)
  test('a start that fails after the store is open ends', async (t) => {
    const etcd = await startEtcd(join(folder, 'real-etcd'));
    t.after(() => etcd.stop());
    const keys = [`--service-account-key-file=${join(folder, 'sa.pub')}`, '--service-account-issuer=a'];
    const signing = `--service-account-signing-key-file=${join(folder, 'sa.key')}`;
    const place = [`--cert-dir=${folder}`, '--bind-address=127.0.0.1', `--secure-port=${port}`];
    const args = [`--etcd-servers=${etcd.endpoints.join(',')}`, ...keys, signing, ...place];
    await assert.rejects(promisify(execFile)(join(assets, 'kube-apiserver'), args, { timeout: stopLimitMs }), {
      code: 1,
      stderr: /EADDRINUSE/,
    });
  });

test('flags that tune watches, garbage and metrics have their effect', async () => {
  const configMaps = '/api/v1/namespaces/default/configmaps';
  // Lasts a second at least and two at most, and then ends by itself.
  const watched = await ask('GET', `${configMaps}?watch=true`);
  assert.equal(watched.status, 200);
  assert.equal((await ask('POST', configMaps, { metadata: { name: 'owner' } })).status, 201);
  const deletion = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground' };
  await ask('DELETE', `${configMaps}/owner`, deletion);
  assert.equal((await ask('GET', `${configMaps}/owner`)).status, 404);
  const { text } = await ask('GET', '/metrics');
  assert.match(text, /^authentication_attempts\{result="unexpected"\} \d+$/m);
  assert.doesNotMatch(text, /apiserver_request_body_size_bytes/);
});

test('a server that is told to end does not wait for what it has waited with', async () => {
  assert.equal((await ask('GET', '/api/v1/namespaces')).status, 200);
  const begunMs = clock.monotonic();
  assert.deepEqual(await Promise.all(running.map(ended)), [0, 0]);
  assert.ok(clock.monotonic() - begunMs < stopLimitMs);
});
