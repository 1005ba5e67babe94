import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1Pod,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';
import { busyboxImage, testImages } from '../images/images.ts';
import { imageCacheDir, isRoot } from '../machine.ts';
import { hasProgram, ProaProcess, proa, until } from './proa.ts';

const namespace = 'default';

if (isRoot && hasProgram('containerd')) {
  describe('the JavaScript client library', () => {
    let cluster: ProaProcess;
    const config = new KubeConfig();
    let core: CoreV1Api;

    before(async () => {
      cluster = await ProaProcess.start({ nodes: 1, network: 204 });
      const { code, stderr } = await proa([
        'image',
        'load',
        await busyboxImage(imageCacheDir),
        '--data-dir',
        cluster.dataDir,
      ]);
      assert.equal(code, 0, stderr);
      config.loadFromFile(cluster.kubeconfig);
      core = config.makeApiClient(CoreV1Api);
      await core.createNamespacedPod({ namespace, body: shellPod });
      await until(
        () => core.readNamespacedPod({ namespace, name: 'shell' }),
        ({ status }) =>
          status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true,
      );
    });

    after(() => cluster.remove());

    test('creates, reads, lists, patches and deletes', async () => {
      const body = { metadata: { name: 'settings', labels: { of: 'test' } }, data: { color: 'blue' } };
      const created = await core.createNamespacedConfigMap({ namespace, body });
      assert.match(created.metadata?.uid ?? '', /^[0-9a-f-]{36}$/);
      assert.ok(created.metadata?.creationTimestamp instanceof Date);
      const listed = await core.listNamespacedConfigMap({ namespace, labelSelector: 'of=test' });
      assert.deepEqual(
        listed.items.map(({ metadata }) => metadata?.name),
        ['settings'],
      );
      const patched = await core.patchNamespacedConfigMap(
        { namespace, name: 'settings', body: [{ op: 'replace', path: '/data/color', value: 'green' }] },
        setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
      );
      assert.deepEqual(patched.data, { color: 'green' });
      const stale = { ...created, data: { color: 'red' } };
      await assert.rejects(core.replaceNamespacedConfigMap({ namespace, name: 'settings', body: stale }), hasCode(409));
      await core.deleteNamespacedConfigMap({ namespace, name: 'settings' });
      await assert.rejects(core.readNamespacedConfigMap({ namespace, name: 'settings' }), hasCode(404));
    });

    test('applies objects of any kind on the server', async () => {
      const objects = KubernetesObjectApi.makeApiClient(config);
      const deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'applied', namespace },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: 'applied' } },
          template: { metadata: { labels: { app: 'applied' } }, spec: shellPod.spec },
        },
      };
      for (const replicas of [1, 2]) {
        const wanted = { ...deployment, spec: { ...deployment.spec, replicas } };
        await objects.patch(wanted, undefined, undefined, 'test', true, PatchStrategy.ServerSideApply);
      }
      const apps = config.makeApiClient(AppsV1Api);
      await until(
        () => apps.readNamespacedDeployment({ namespace, name: 'applied' }),
        ({ status }) => status?.readyReplicas === 2,
      );
      await apps.deleteNamespacedDeployment({ namespace, name: 'applied' });
    });

    test('watches from a version, and keeps an informer up to date', async () => {
      const { metadata } = await core.listNamespacedSecret({ namespace });
      const seen: string[] = [];
      const done = Promise.withResolvers<void>();
      const watching = await new Watch(config).watch(
        `/api/v1/namespaces/${namespace}/secrets`,
        { resourceVersion: metadata?.resourceVersion ?? '' },
        (phase: string, secret: { metadata: { name: string } }) => {
          seen.push(`${phase} ${secret.metadata.name}`);
          if (phase === 'DELETED') done.resolve();
        },
        () => done.resolve(),
      );
      const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/secrets`, () =>
        core.listNamespacedSecret({ namespace }),
      );
      await informer.start();
      await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'key' }, stringData: { a: 'b' } } });
      await until(
        async () => informer.get('key', namespace),
        (secret) => secret?.data?.['a'] === 'Yg==',
      );
      await core.deleteNamespacedSecret({ namespace, name: 'key' });
      await done.promise;
      watching.abort();
      await informer.stop();
      assert.deepEqual(seen, ['ADDED key', 'DELETED key']);
    });

    test('reads and follows logs', async () => {
      assert.match(await core.readNamespacedPodLog({ namespace, name: 'shell' }), /^started\n/);
      const output = new PassThrough();
      await new Log(config).log(namespace, 'shell', 'shell', output, { follow: true, limitBytes: 18 });
      let text = '';
      for await (const chunk of output) text += chunk;
      assert.equal(text, 'started\ntick\ntick\n');
    });

    test('runs programs in a container', async () => {
      let output = '';
      const stdout = new Writable({
        write(chunk, _encoding, done) {
          output += chunk;
          done();
        },
      });
      const input = new PassThrough();
      const ended = Promise.withResolvers<V1Status>();
      const command = ['sh', '-c', 'read line; echo "got $line"; exit 3'];
      await new Exec(config).exec(namespace, 'shell', 'shell', command, stdout, null, input, false, ended.resolve);
      input.write('hello\n');
      const status = await ended.promise;
      assert.equal(output, 'got hello\n');
      assert.equal(status.reason, 'NonZeroExitCode');
      assert.deepEqual(status.details?.causes, [{ reason: 'ExitCode', message: '3' }]);
    });

    test('forwards a port', async () => {
      const input = new PassThrough();
      const output = new PassThrough();
      await new PortForward(config).portForward(namespace, 'shell', [8080], output, null, input);
      input.write('GET / HTTP/1.0\r\n\r\n');
      let text = '';
      for await (const chunk of output) {
        text += chunk;
        if (text.endsWith('hello\n')) break;
      }
      assert.match(text, /^HTTP\/1\.\d 200 OK\r\n/);
    });
  });
}

const shellPod: V1Pod = {
  metadata: { name: 'shell' },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'shell',
        image: testImages.busybox,
        command: [
          'sh',
          '-c',
          'echo hello > /tmp/index.html; httpd -p 8080 -h /tmp; echo started; while :; do sleep 0.2; echo tick; done',
        ],
      },
    ],
  },
};

function hasCode(code: number): (error: unknown) => boolean {
  return (error) => error instanceof ApiException && error.code === code;
}
