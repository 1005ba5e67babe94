import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigMap, Secret } from '#kinds/generated/handles.ts';
import { type HttpCluster, runWith, startHttpCluster } from '#testing/http-cluster.ts';

let cluster: HttpCluster;

before(async () => {
  cluster = await startHttpCluster();
  const metadata = (name: string, labels: Record<string, string>) => ({ name, namespace: 'default', labels });
  await cluster.client.create(ConfigMap, { metadata: metadata('alpha', { tier: 'one' }), data: { size: '10' } });
  await cluster.client.create(ConfigMap, { metadata: metadata('beta', { tier: 'two' }), data: { size: '9' } });
  await cluster.client.create(Secret, {
    metadata: metadata('gamma', {}),
    type: 'Opaque',
    data: { word: Buffer.from('open sesame').toString('base64') },
  });
});

after(() => cluster.stop());

const said = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
  return stdout;
};
const refused = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, args.join(' '));
  return stderr;
};

test('get prints the server’s table, and only what the selector takes', async () => {
  const table = await said('get', 'cm', '-l', 'tier in (one,two)', '-L', 'tier');
  assert.match(table, /^NAME {4}DATA {3}AGE {3,4}TIER\nalpha {3}1 {6}\d+s {2,4}one\nbeta {4}1 {6}\d+s {2,4}two\n$/);
});

test('the formats of -o', async () => {
  assert.equal(await said('get', 'configmaps', 'alpha', '-o', 'name'), 'configmap/alpha\n');
  assert.equal(await said('get', 'cm/alpha', '-o', 'jsonpath={.data.size}'), '10');
  assert.equal(await said('get', 'cm', 'alpha', '-o', 'go-template={{.data.size}}{{"\\n"}}'), '10\n');
  assert.equal(
    await said('get', 'cm', '-l', 'tier', '-o', 'custom-columns=N:.metadata.name,S:data.size,X:.nope'),
    'N       S     X\nalpha   10    <none>\nbeta    9     <none>\n',
  );
  assert.equal(JSON.parse(await said('get', 'cm', '-l', 'tier', '-o', 'json')).kind, 'List');
  assert.match(await said('get', 'secret', 'gamma', '-o', 'yaml'), /^apiVersion: v1\ndata:\n {2}word: b3Blbi/);
});

test('sorting reads numbers within text as numbers', async () => {
  const sorted = await said('get', 'cm', '-l', 'tier', '--sort-by=.data.size', '-o', 'name');
  assert.equal(sorted, 'configmap/beta\nconfigmap/alpha\n');
});

test('nothing found is said in a sentence, and is no failure', async () => {
  const { code, stdout, stderr } = await cluster.kubectl(['get', 'pods']);
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 0, stdout: '', stderr: 'No resources found in default namespace.\n' },
  );
});

test('failures are told in the words of the server or of the official client', async () => {
  assert.equal(await refused('get', 'cm', 'nope'), 'Error from server (NotFound): configmaps "nope" not found\n');
  assert.equal(await refused('get', 'nope'), 'error: the server doesn\'t have a resource type "nope"\n');
  assert.equal(
    await refused('get', 'cm', '--nope'),
    "error: unknown flag: --nope\nSee 'kubectl get --help' for usage.\n",
  );
  assert.match(
    await refused('gett', 'cm'),
    /^error: unknown command "gett" for "kubectl"\n\nDid you mean this\?\n\tget\n/,
  );
  assert.match(
    await refused('get', 'secrets', '--as', 'jane'),
    /^Error from server \(Forbidden\): secrets is forbidden: User "jane" cannot list resource "secrets"/,
  );
});

test('flags may stand before the command, in bunches, and with their values attached', async () => {
  const names = 'configmap/kube-root-ca.crt\n';
  await cluster.client.get(ConfigMap, { namespace: 'default', name: 'alpha' });
  assert.equal(await said('--namespace=default', 'get', 'cm', '-lapp!=x,!tier', '-oname'), names);
});

test('a secret is described without what it holds', async () => {
  const text = await said('describe', 'secret', 'gamma');
  assert.match(
    text,
    /^Name: {9}gamma\nNamespace: {4}default\nLabels: {7}<none>\nAnnotations: {2}<none>\n\nType: {2}Opaque\n/,
  );
  assert.match(text, /\nData\n====\nword: {2}11 bytes\n$/);
});

test('a watch prints what is there, then what happens, until it is interrupted', async () => {
  const interruption = new AbortController();
  const watching = cluster.kubectl(['get', 'cm', '-l', 'watched', '-o', 'name', '-w'], { signal: interruption.signal });
  const metadata = { name: 'delta', namespace: 'default', labels: { watched: 'yes' } };
  await cluster.client.create(ConfigMap, { metadata });
  const outcome = await Promise.race([watching, untilSeen(interruption)]);
  assert.equal(outcome, undefined);
  const { stdout } = await watching;
  assert.match(stdout, /^configmap\/delta\n/);
});

/** Ends the watch once the server has told another watcher of the same change. */
async function untilSeen(interruption: AbortController): Promise<undefined> {
  for await (const event of cluster.client.watch(ConfigMap, {
    namespace: 'default',
    labelSelector: 'watched',
    sendInitialEvents: true,
  })) {
    if (event.type === 'ADDED') break;
  }
  await said('get', 'cm', 'delta');
  interruption.abort(new Error('interrupted'));
  return undefined;
}

test('explain shows the fields of a type', async () => {
  const text = await said('explain', 'deploy.spec.strategy', '--recursive');
  assert.match(text, /^GROUP: {6}apps\nKIND: {7}Deployment\nVERSION: {4}v1\n\nFIELD: strategy <DeploymentStrategy>\n/);
  assert.match(text, /FIELDS:\n {2}rollingUpdate\t<RollingUpdateDeployment>\n {4}maxSurge\t<IntOrString>\n/);
});

test('can-i says yes or no, and so does its exit code', async () => {
  assert.equal(await said('auth', 'can-i', 'create', 'pods'), 'yes\n');
  const { code, stdout } = await cluster.kubectl(['auth', 'can-i', 'create', 'pods', '--as', 'jane']);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: 'no\n' });
});

test('config changes the file that has the entry, and hides what is secret', async () => {
  const path = join(cluster.folder, 'other');
  await writeFile(path, '');
  const env = { KUBECONFIG: path };
  const config = async (...args: readonly string[]) => (await runWith(env, ['config', ...args])).stdout;
  assert.equal(await config('set-cluster', 'c', '--server=https://example.com'), 'Cluster "c" set.\n');
  assert.equal(await config('set-credentials', 'u', '--token=hidden'), 'User "u" set.\n');
  assert.equal(await config('set-context', 'x', '--cluster=c', '--user=u', '-n', 'ns'), 'Context "x" created.\n');
  assert.equal(await config('use-context', 'x'), 'Switched to context "x".\n');
  assert.equal(await config('get-contexts', '--no-headers'), '*     x     c     u     ns\n');
  const view = await config('view');
  assert.match(view, /token: REDACTED/);
  assert.match(await config('view', '--raw'), /token: hidden/);
  assert.equal(await config('delete-context', 'x'), `deleted context x from ${path}\n`);
});

test('a server that is not there is named', async () => {
  const { code, stderr } = await cluster.kubectl(['get', 'pods', '-s', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^The connection to the server 127\.0\.0\.1:1 was refused - did you specify the right host or port\?\n$/,
  );
});

test('a verb’s own flag of a global name says nothing of the connection', async () => {
  const args = ['create', 'clusterrolebinding', 'readers', '--clusterrole=view', '--user=jane'];
  assert.equal(await said(...args), 'clusterrolebinding.rbac.authorization.k8s.io/readers created\n');
  const added = await said('set', 'subject', 'clusterrolebinding', 'readers', '--user=joe');
  assert.equal(added, 'clusterrolebinding.rbac.authorization.k8s.io/readers subjects updated\n');
  const users = await said('get', 'clusterrolebinding', 'readers', '-o', 'jsonpath={.subjects[*].name}');
  assert.equal(users, 'jane joe');
});

test('run --expose makes a service for the pods that it runs, whatever their labels', async () => {
  await said('run', 'shop', '--image=shop', '--labels=tier=front', '--port=80', '--expose');
  assert.equal(await said('get', 'service', 'shop', '-o', 'jsonpath={.spec.selector}'), '{"tier":"front"}');
  assert.equal(await said('get', 'pods', '-l', 'tier=front', '-o', 'name'), 'pod/shop\n');
});

test('explain tells of a field and its type, and which words it may be', async () => {
  const ports = await said('explain', 'service.spec.ports');
  assert.match(ports, /ServicePort contains information on service's port\.\n/);
  assert.match(ports, /^ {4} {2}\\\* 'kubernetes\.io\/ws'/m, 'lists keep their indentation');
  const tree = await said('explain', 'pod.spec.tolerations', '--recursive');
  assert.match(tree, /^ {2}effect\t<string>\n {2}enum: NoExecute, NoSchedule, PreferNoSchedule\n {2}key\t/m);
});

test('the details of a revision are told as describe tells them', async () => {
  await said('create', 'deployment', 'site', '--image=site:1');
  await said('rollout', 'status', 'deployment/site');
  const details = await said('rollout', 'history', 'deployment/site', '--revision=1');
  assert.match(
    details,
    /^deployment\.apps\/site with revision #1\nPod Template:\n {2}Labels:\tapp=site\n\tpod-template-hash=/,
  );
  assert.match(details, /\n {2}Containers:\n {3}site:\n {4}Image:\tsite:1\n/);
});

test('what get --raw and files leave no room for is refused', async () => {
  assert.match(await refused('get', '--raw', 'healthz'), /^error: --raw must be a valid URL path: parse "healthz"/);
  assert.match(await refused('get', '--raw', '/healthz', 'pods'), /^error: arguments may not be passed when --raw/);
  assert.match(await refused('get', 'pods', '--subresource=status'), /subresource cannot be used when bulk resources/);
  assert.match(
    await refused('create', 'clusterrole', 'x', '--verb=list', '--non-resource-url=/x'),
    /^error: invalid verb: 'list' for nonResourceURL\n$/,
  );
});

test('an empty kubeconfig names no server, and a broken one is told of in one line', async () => {
  const empty = join(cluster.folder, 'empty');
  await writeFile(empty, '');
  const nobody = await cluster.kubectl(['--kubeconfig', empty, 'config', 'view', '-o', 'jsonpath={.kind}']);
  assert.equal(nobody.stdout, 'Config');
  await writeFile(empty, 'clusters: [{');
  const broken = await cluster.kubectl(['--kubeconfig', empty, 'get', 'pods']);
  assert.match(broken.stderr, /^error: error loading config file ".*empty": yaml: line 1: [^\n]+\n$/);
});
