import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';

let cluster: HttpCluster;
before(async () => {
  cluster = await startHttpCluster();
  await cluster.client.create(ServiceAccount, { metadata: { name: 'runner', namespace: 'default' } });
  await cluster.client.create(Pod, {
    metadata: { name: 'shop', namespace: 'default', labels: { app: 'shop' }, annotations: { note: 'one' } },
    spec: {
      serviceAccountName: 'runner',
      initContainers: [{ name: 'init', image: 'init' }],
      containers: [
        { name: 'web', image: 'web', args: ['serve'], livenessProbe: { exec: { command: ['true'] } } },
        { name: 'side', image: 'side' },
      ],
    },
  });
});
after(() => cluster.stop());

const ref = (name: string) => ({ name, namespace: 'default' });
const debug = (...args: readonly string[]) => cluster.kubectl(['debug', ...args]);

test('an ephemeral container joins the others, with what its profile and a file say', async () => {
  const path = join(cluster.folder, 'custom.yaml');
  await writeFile(path, 'env: [{name: EXTRA, value: x}]\nsecurityContext: {runAsUser: 7}');
  assert.deepEqual(await debug('shop', '--image=tools', '-c', 'first', '--', 'sh'), {
    code: 0,
    stdout: '',
    stderr: '',
  });
  await debug('shop', '--image=tools', '-c', 'second', '--env=A=b', `--custom=${path}`, '--arguments-only', '--', 'sh');
  const { spec } = await cluster.client.get(Pod, ref('shop'));
  const seen = spec?.ephemeralContainers?.map(({ name, command, args, env, securityContext }) => ({
    name,
    command,
    args,
    env,
    securityContext,
  }));
  const capabilities = { add: ['SYS_PTRACE'] };
  assert.deepEqual(seen, [
    { name: 'first', command: ['sh'], args: undefined, env: undefined, securityContext: { capabilities } },
    {
      name: 'second',
      command: undefined,
      args: ['sh'],
      env: [
        { name: 'EXTRA', value: 'x' },
        { name: 'A', value: 'b' },
      ],
      securityContext: { capabilities, runAsUser: 7 },
    },
  ]);
});

test('a copy is no replica and has no probes, unless they are kept', async () => {
  await debug('shop', '--copy-to=copy', '-c', 'web', '--', 'sleep');
  const copy = await cluster.client.get(Pod, ref('copy'));
  assert.equal(copy.metadata.labels, undefined);
  const [web] = copy.spec?.containers ?? [];
  assert.deepEqual([web?.image, web?.command, web?.args, web?.livenessProbe], ['web', ['sleep'], undefined, undefined]);
  assert.equal(copy.spec?.shareProcessNamespace, true);
  await debug('shop', '--copy-to=kept', '--image=tools', '-c', 'new', '--keep-labels', '--keep-liveness');
  const kept = await cluster.client.get(Pod, ref('kept'));
  assert.deepEqual(kept.metadata.labels, { app: 'shop' });
  assert.notEqual(kept.spec?.containers[0]?.livenessProbe, undefined);
  assert.deepEqual(
    kept.spec?.containers.map(({ name }) => name),
    ['web', 'side', 'new'],
  );
});

test('flags that make no sense together are refused', async () => {
  const refused = async (...args: readonly string[]) => (await debug('shop', ...args)).stderr;
  assert.equal(await refused(), 'error: you must specify --image when not using --copy-to.\n');
  assert.equal(await refused('--image=x', '--replace'), 'error: --replace may only be used with --copy-to.\n');
  assert.equal(await refused('--image=x', '-t'), 'error: -i/--stdin is required for containers with -t/--tty=true\n');
  assert.equal(await refused('--image=x', '--profile=none'), 'error: unknown profile: none\n');
});
