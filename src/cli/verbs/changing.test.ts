import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigMap, Deployment, Node } from '#kinds/generated/handles.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';

let cluster: HttpCluster;
before(async () => {
  cluster = await startHttpCluster({ nodes: 1 });
});
after(() => cluster.stop());

const said = async (args: readonly string[], stdin?: string): Promise<string> => {
  const { code, stdout, stderr } = await cluster.kubectl(args, stdin === undefined ? {} : { stdin });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
  return stdout;
};
const refused = async (args: readonly string[], stdin?: string): Promise<string> => {
  const { code, stdout, stderr } = await cluster.kubectl(args, stdin === undefined ? {} : { stdin });
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, args.join(' '));
  return stderr;
};

const deployment = (name: string, more = 'replicas: 1'): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  ${more}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: web, image: nginx}]}
`;
const configMap = (name: string, data: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
data: ${data}
`;
const ref = (name: string) => ({ name, namespace: 'default' });

test('apply creates, leaves alone, changes, and takes away what left the manifest', async () => {
  const apply = (text: string) => said(['apply', '-f', '-'], text);
  assert.equal(await apply(configMap('applied', '{a: "1", b: "2"}')), 'configmap/applied created\n');
  assert.equal(await apply(configMap('applied', '{a: "1", b: "2"}')), 'configmap/applied unchanged\n');
  await said(['patch', 'cm', 'applied', '--type=merge', '-p', '{"data":{"elsewhere":"x"}}']);
  assert.equal(await apply(configMap('applied', '{a: "3"}')), 'configmap/applied configured\n');
  const { data } = await cluster.client.get(ConfigMap, ref('applied'));
  assert.deepEqual(data, { a: '3', elsewhere: 'x' });
  assert.match(await said(['apply', 'view-last-applied', 'cm/applied']), /^apiVersion: v1\ndata:\n {2}a: "3"\n/);
});

test('apply warns of an object that it did not make, and carries on after one that is refused', async () => {
  await said(['create', '-f', '-'], configMap('made', '{a: "1"}'));
  const bad = deployment('worse', 'replicas: -1');
  const { code, stdout, stderr } = await cluster.kubectl(['apply', '-f', '-'], {
    stdin: `${bad}---${configMap('made', '{a: "2"}')}`,
  });
  assert.equal(code, 1);
  assert.equal(stdout, 'configmap/made configured\n');
  assert.match(stderr, /^Warning: resource configmaps\/made is missing the kubectl.kubernetes.io\/last-applied/);
  assert.match(stderr, /The Deployment "worse" is invalid: spec.replicas: Invalid value: -1: must be greater/);
});

test('an apply by the server takes over what the client applied, and tells conflicts', async () => {
  await said(['apply', '-f', '-'], configMap('server', '{a: "1", b: "2"}'));
  const sent = await said(['apply', '--server-side', '-f', '-'], configMap('server', '{a: "1"}'));
  assert.equal(sent, 'configmap/server serverside-applied\n');
  const { data, metadata } = await cluster.client.get(ConfigMap, ref('server'));
  assert.deepEqual(data, { a: '1' });
  const managers = metadata.managedFields?.map(({ manager }) => manager).sort();
  assert.deepEqual(managers, ['kubectl', 'kubectl-last-applied']);
  const other = ['apply', '--server-side', '--field-manager=other', '-f', '-'];
  assert.match(
    await refused(other, configMap('server', '{a: "5"}')),
    /^error: Apply failed with 1 conflict: conflict with "kubectl": \.data\.a\n/,
  );
  await said([...other, '--force-conflicts'], configMap('server', '{a: "5"}'));
});

test('create makes objects from its arguments, and shows them without a server’s word', async () => {
  const yaml = await said([
    'create',
    'deployment',
    'gen',
    '--image=nginx',
    '--port=80',
    '--dry-run=client',
    '-o',
    'yaml',
  ]);
  assert.match(
    yaml,
    /^apiVersion: apps\/v1\nkind: Deployment\n[\s\S]*ports:\n {8}- containerPort: 80\n[\s\S]*status: {}\n$/,
  );
  assert.equal(
    await said([
      'create',
      'ingress',
      'gen',
      '--rule=a.b/x*=web:80,tls=keys',
      '--dry-run=client',
      '-o',
      'jsonpath={.spec.tls}',
    ]),
    '[{"hosts":["a.b"],"secretName":"keys"}]',
  );
  await said(['create', 'cm', 'hashed', '--from-literal=a=b']);
  assert.equal(
    await refused(['create', 'cm', 'hashed']),
    'error: failed to create configmap: configmaps "hashed" already exists\n',
  );
});

test('delete waits until what it deleted is gone, and says where from', async () => {
  await said(['create', 'cm', 'short-lived']);
  assert.equal(await said(['delete', 'cm', 'short-lived']), 'configmap "short-lived" deleted from default namespace\n');
  assert.equal(
    await refused(['delete', 'cm', 'short-lived']),
    'Error from server (NotFound): configmaps "short-lived" not found\n',
  );
  assert.equal(await said(['delete', 'cm', 'short-lived', '--ignore-not-found']), '');
});

test('labels are not overwritten by accident', async () => {
  await said(['create', 'cm', 'labelled']);
  assert.equal(await said(['label', 'cm', 'labelled', 'a=b']), 'configmap/labelled labeled\n');
  assert.equal(await said(['label', 'cm', 'labelled', 'a=b']), 'configmap/labelled not labeled\n');
  assert.equal(
    await refused(['label', 'cm', 'labelled', 'a=c']),
    "error: 'a' already has a value (b), and --overwrite is false\n",
  );
  assert.equal(await said(['label', 'cm', 'labelled', 'a-']), 'configmap/labelled unlabeled\n');
});

test('a rollout is followed, restarted and undone', async () => {
  await said(['apply', '-f', '-'], deployment('rolled'));
  const done = /deployment "rolled" successfully rolled out\n$/;
  assert.match(await said(['rollout', 'status', 'deploy/rolled', '--timeout=30s']), done);
  assert.equal(await said(['set', 'image', 'deploy/rolled', '*=nginx:2']), 'deployment.apps/rolled image updated\n');
  assert.match(await said(['rollout', 'status', 'deploy/rolled', '--timeout=30s']), done);
  assert.match(await said(['rollout', 'history', 'deploy/rolled']), /\n1 {9}<none>\n2 {9}<none>\n/);
  const { code, stdout } = await cluster.kubectl(['rollout', 'undo', 'deploy/rolled']);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'deployment.apps/rolled rolled back\n' });
  const { spec } = await cluster.client.get(Deployment, ref('rolled'));
  assert.equal(spec?.template.spec?.containers[0]?.image, 'nginx');
  assert.equal(
    await said(['wait', '--for=condition=Available', 'deploy/rolled']),
    'deployment.apps/rolled condition met\n',
  );
});

test('wait gives up in time', async () => {
  await said(['create', 'cm', 'waited']);
  assert.equal(
    await refused(['wait', '--for=jsonpath={.data.a}=b', 'cm/waited', '--timeout=10ms']),
    'error: timed out waiting for the condition on configmaps/waited\n',
  );
});

test('a node is tainted, cordoned and given back', async () => {
  const [node] = (await cluster.client.list(Node)).items;
  const name = node?.metadata.name ?? '';
  assert.equal(await said(['taint', 'nodes', name, 'a=b:NoSchedule']), `node/${name} tainted\n`);
  assert.equal(
    await refused(['taint', 'nodes', name, 'a=c:NoSchedule']),
    `error: node ${name} already has a taint(s) with same effect(s) and --overwrite is false\n`,
  );
  assert.equal(await said(['taint', 'nodes', name, 'a-']), `node/${name} untainted\n`);
  assert.equal(await said(['cordon', name]), `node/${name} cordoned\n`);
  assert.equal(await said(['cordon', name]), `node/${name} already cordoned\n`);
  assert.equal(await said(['uncordon', name]), `node/${name} uncordoned\n`);
});

test('diff says by its exit code whether an apply would change anything', async () => {
  const path = join(cluster.folder, 'differs.yaml');
  await writeFile(path, configMap('differs', '{a: "1"}'));
  await said(['apply', '-f', path]);
  assert.equal(await said(['diff', '-f', path]), '');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"1"', '"2"'));
  const { code, stdout } = await cluster.kubectl(['diff', '-f', path]);
  assert.equal(code, 1);
  assert.match(stdout, /\n- {2}a: "1"\n\+ {2}a: "2"\n/);
});
