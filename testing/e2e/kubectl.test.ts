import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { busyboxImage, httpServerImage, testImages } from '../images/images.ts';
import { imageCacheDir, isRoot } from '../machine.ts';
import { hasProgram, ProaProcess, proa, run, until } from './proa.ts';

const workload = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { color: blue }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
data: { password: b3BlbiBzZXNhbWU= }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: ${testImages.httpServer}
          env:
            - name: COLOR
              valueFrom: { configMapKeyRef: { name: settings, key: color } }
          ports: [{ containerPort: 8080, name: http }]
          readinessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: v1
kind: Service
metadata: { name: web-headless }
spec: { clusterIP: None, selector: { app: web }, ports: [{ port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web-node }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: v1
kind: Service
metadata: { name: web-outside }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 18480, targetPort: http }] }
---
apiVersion: v1
kind: Service
metadata: { name: elsewhere }
spec: { type: ExternalName, externalName: web.default.svc.cluster.local }
---
apiVersion: v1
kind: Pod
metadata: { name: shell, labels: { app: shell } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: shell
      image: ${testImages.busybox}
      command: [sh, -c, 'echo started; while :; do sleep 0.2; echo tick; done']
      volumeMounts:
        - { name: keys, mountPath: /keys }
        - { name: identity, mountPath: /identity }
  volumes:
    - { name: keys, secret: { secretName: keys } }
    - name: identity
      projected:
        sources:
          - serviceAccountToken: { path: token, audience: vault, expirationSeconds: 600 }
          - configMap: { name: settings }
`;

if (isRoot && hasProgram('kubectl') && hasProgram('containerd')) {
  describe('kubectl and real containers', () => {
    let cluster: ProaProcess;
    const ask = (...args: readonly string[]): Promise<string> => cluster.ask(...args);
    const inShell = (command: string): Promise<string> => ask('exec', 'shell', '--', 'sh', '-c', command);

    before(async () => {
      cluster = await ProaProcess.start({ nodes: 1, network: 202 });
      const images = [await busyboxImage(imageCacheDir), await httpServerImage(imageCacheDir)];
      const loaded = await proa(['image', 'load', ...images, '--data-dir', cluster.dataDir]);
      assert.equal(loaded.stdout, `loaded ${testImages.busybox}\nloaded ${testImages.httpServer}\n`, loaded.stderr);
      await cluster.apply(workload);
      await ask('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=50s');
      await ask('rollout', 'status', 'deployment/web', '--timeout=50s');
    });

    after(() => cluster.remove());

    test('apply says what it did, and applying again changes nothing', async () => {
      const again = (await cluster.apply(workload)).trim().split('\n');
      assert.equal(again.length, 9);
      // kubectl misses the token volume that admission gave the pod, here as on every cluster.
      for (const line of again) assert.match(line, line === 'pod/shell configured' ? / / : / unchanged$/);
    });

    test('get prints tables, YAML, JSON and chosen fields', async () => {
      assert.match(await ask('get', 'deployment', 'web'), /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 /);
      const wide = await ask('get', 'pods', '-o', 'wide', '-l', 'app=web');
      assert.match(wide, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/);
      assert.equal(wide.match(/web-\S+ +1\/1 +Running +0 +\S+ +10\.202\.0\.\d+ /g)?.length, 2, wide);
      assert.match(
        await ask('get', 'configmap', 'settings', '-o', 'yaml'),
        /^apiVersion: v1\ndata:\n {2}color: blue\n/,
      );
      assert.equal(JSON.parse(await ask('get', 'pods', '-o', 'json')).items.length, 3);
      assert.equal(await ask('get', 'pod', 'shell', '-o', 'jsonpath={.status.phase}'), 'Running');
      assert.match(await ask('get', 'all'), /replicaset\.apps\/web-[a-z0-9]+ +2 +2 +2 /);
      assert.match(await ask('get', 'nodes'), / +Ready +\S+ +\S+ +v1\.36\./);
    });

    test('describe shows events', async () => {
      const described = await ask('describe', 'pod', 'shell');
      assert.match(described, /^Name: +shell\n/);
      assert.match(described, /Normal +Scheduled +\S+.* Successfully assigned default\/shell to /);
      assert.match(described, /Normal +Started +\S+.* /);
      const deployment = await ask('describe', 'deployment', 'web');
      assert.match(deployment, /Normal +ScalingReplicaSet +.*Scaled up replica set web-[a-z0-9]+ from 0 to 2/);
    });

    test('get --watch shows changes as they come', async () => {
      const watching = cluster.follow(['get', 'configmap', '-w', '--request-timeout=20s', '-o', 'name']);
      assert.ok(await watching.line((line) => line === 'configmap/settings'));
      await ask('create', 'configmap', 'watched', '--from-literal=a=b');
      assert.ok(await watching.line((line) => line === 'configmap/watched'));
      await watching.end();
      await ask('delete', 'configmap', 'watched');
    });

    test('logs are read and followed', async () => {
      assert.match(await ask('logs', 'shell'), /^started\n/);
      assert.equal(await ask('logs', 'shell', '--tail=1'), 'tick\n');
      assert.match(await ask('logs', 'shell', '--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\S+Z tick\n$/);
      const following = cluster.follow(['logs', '-f', 'shell', '--tail=0']);
      assert.ok(await following.line((line) => line === 'tick'));
      await following.end();
    });

    test('exec passes input, output, errors and the exit code', async () => {
      const input = 'x'.repeat(300_000);
      const counted = await cluster.kubectl(['exec', '-i', 'shell', '--', 'sh', '-c', 'wc -c; echo bad >&2; exit 7'], {
        input,
      });
      assert.equal(counted.stdout.trim(), '300000');
      assert.match(counted.stderr, /^bad\n/);
      assert.equal(counted.code, 7);
      const missing = await cluster.kubectl(['exec', 'shell', '--', 'no-such-program']);
      assert.notEqual(missing.code, 0);
      assert.match(missing.stderr, /no-such-program/);
    });

    if (hasProgram('script'))
      test('exec -it has a terminal on both ends', async () => {
        const command = 'kubectl exec -it shell -- sh -c "tty; sleep 1; stty size; read line; echo got $line"';
        const { stdout } = await run(
          'script',
          ['-qec', `stty rows 33 cols 99; ${command.replace('$line', '\\$line')}`, '/dev/null'],
          {
            env: cluster.environment,
            input: 'hello\n',
            limitMs: 30_000,
          },
        );
        assert.match(stdout, /\/dev\/pts\/0\r?\n(?:hello\r?\n)?33 99\r?\n/);
        assert.match(stdout, /got hello\r?\n/);
      });

    test('cp moves files both ways', async () => {
      const file = `${cluster.folder}/file`;
      await ask('cp', `${cluster.folder}/proa.yaml`, 'shell:/tmp/copied');
      await ask('cp', 'shell:/tmp/copied', file);
      assert.equal(await inShell('cat /tmp/copied'), (await run('cat', [file])).stdout);
    });

    test('port-forward reaches the pod', async () => {
      const forwarding = cluster.follow(['port-forward', 'deployment/web', ':8080']);
      const told = await forwarding.line((line) => line.includes('127.0.0.1:'));
      const port = /127\.0\.0\.1:(\d+) -> 8080/.exec(told ?? '')?.[1];
      const answers = await Promise.all(
        Array.from({ length: 5 }, () =>
          fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) }).then((answer) => answer.text()),
        ),
      );
      for (const answer of answers) assert.match(answer, /^web-/);
      await forwarding.end();
    });

    test('pods find each other by name', async () => {
      for (const name of ['web', 'web.default', 'web.default.svc.cluster.local', 'elsewhere'])
        assert.match(await inShell(`wget -qO- http://${name}/`), /^web-/, name);
      assert.match(await inShell('wget -qO- http://web-headless:8080/'), /^web-/);
      const addresses = (await ask('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].status.podIP}')).split(
        ' ',
      );
      const found = await inShell('nslookup web-headless.default.svc.cluster.local');
      for (const address of addresses) assert.ok(found.includes(address), found);
      const unknown = await cluster.kubectl(['exec', 'shell', '--', 'nslookup', 'nowhere.default.svc.cluster.local']);
      assert.match(unknown.stdout + unknown.stderr, /NXDOMAIN/);
    });

    test('services are reachable from the machine', async () => {
      const nodePort = await ask('get', 'service', 'web-node', '-o', 'jsonpath={.spec.ports[0].nodePort}');
      const address = await ask(
        'get',
        'nodes',
        '-o',
        'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
      );
      const clusterAddress = await ask('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
      const outside = await until(
        () => ask('get', 'service', 'web-outside', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'),
        (found) => found !== '',
      );
      for (const place of [`${address}:${nodePort}`, `${clusterAddress}:80`, `${outside}:18480`]) {
        const answer = await fetch(`http://${place}/`, { signal: AbortSignal.timeout(10_000) });
        assert.match(await answer.text(), /^web-/, place);
      }
    });

    test('secrets, config maps and tokens are in the files and variables of a pod', async () => {
      assert.equal(await inShell('cat /keys/password'), 'open sesame');
      assert.equal(await inShell('cat /identity/color'), 'blue');
      const [, claims = ''] = (await inShell('cat /identity/token')).split('.');
      const { aud, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());
      assert.deepEqual({ aud, sub }, { aud: ['vault'], sub: 'system:serviceaccount:default:default' });
      const environment = JSON.parse(await inShell('wget -qO- http://web/env'));
      assert.equal(environment.COLOR, 'blue');
    });

    test('the files of an image are a volume, read-only, whole or in part', async () => {
      await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: with-image }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: shell
      image: ${testImages.busybox}
      command: [sleep, '1000']
      volumeMounts: [{ name: files, mountPath: /files }, { name: files, mountPath: /programs, subPath: bin }]
  volumes: [{ name: files, image: { reference: '${testImages.busybox}', pullPolicy: IfNotPresent } }]
`);
      await ask('wait', '--for=condition=Ready', 'pod/with-image', '--timeout=30s');
      const shell = (script: string) => cluster.kubectl(['exec', 'with-image', '--', 'sh', '-c', script]);
      assert.equal(
        (await shell('cmp /files/bin/busybox /programs/busybox && cmp /files/bin/busybox /bin/busybox')).code,
        0,
      );
      assert.match((await shell('touch /files/new')).stderr, /Read-only file system/);
      await ask('delete', 'pod', 'with-image', '--now');
    });

    test('a pod talks to the API with its own token, and may do nothing until it is allowed to', async () => {
      const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
      const script = `
        const { readFileSync } = require('node:fs');
        const { KUBERNETES_SERVICE_PORT: port } = process.env;
        require('node:https').get({
          host: 'kubernetes.default.svc', port, path: '/api/v1/namespaces/default/pods',
          ca: readFileSync('${folder}/ca.crt'),
          headers: { authorization: 'Bearer ' + readFileSync('${folder}/token', 'utf8') },
        }, (answer) => { console.log(answer.statusCode); answer.pipe(process.stdout); });`;
      const call = () => ask('exec', 'deployment/web', '--', '/bin/node', '-e', script);
      const [code, body = ''] = (await call()).split('\n', 2);
      assert.equal(code, '403');
      assert.equal(
        JSON.parse(body).message,
        'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"',
      );
      await ask('create', 'rolebinding', 'viewer', '--clusterrole=view', '--serviceaccount=default:default');
      assert.match(await until(call, (answer) => answer.startsWith('200')), /"kind":"PodList"/);
    });

    test('a rollout goes on, is seen in the history, and is undone', async () => {
      const template = () =>
        ask('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].env[0].name}');
      await ask('scale', 'deployment/web', '--replicas=3');
      await ask('rollout', 'status', 'deployment/web', '--timeout=50s');
      assert.match(await ask('get', 'deployment', 'web'), / 3\/3 /);
      await ask('rollout', 'restart', 'deployment/web');
      assert.match(await ask('rollout', 'status', 'deployment/web', '--timeout=50s'), /successfully rolled out/);
      await ask('set', 'env', 'deployment/web', 'SHAPE=round');
      assert.match(await ask('rollout', 'history', 'deployment/web'), /REVISION +CHANGE-CAUSE\n1 .*\n2 .*\n3 /);
      await ask('rollout', 'undo', 'deployment/web', '--to-revision=1');
      await ask('rollout', 'status', 'deployment/web', '--timeout=50s');
      assert.equal(await template(), 'COLOR');
      assert.doesNotMatch(await ask('get', 'deployment', 'web', '-o', 'yaml'), /SHAPE|restartedAt/);
      await until(
        () => ask('get', 'pods', '-l', 'app=web', '-o', 'name'),
        (pods) => pods.split('\n').length === 4,
      );
    });

    test('a job runs to its end, and its output stays', async () => {
      await ask('create', 'job', 'count', `--image=${testImages.busybox}`, '--', 'sh', '-c', 'echo one; echo two');
      await ask('wait', '--for=condition=Complete', 'job/count', '--timeout=50s');
      assert.equal(await ask('logs', 'job/count'), 'one\ntwo\n');
    });

    test('an image that is nowhere is said so', async () => {
      await ask('run', 'missing', '--image=127.0.0.1:1/missing:1');
      const waiting = () =>
        ask('get', 'pod', 'missing', '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}');
      await until(waiting, (reason) => reason === 'ErrImagePull' || reason === 'ImagePullBackOff');
      await ask('delete', 'pod', 'missing', '--now');
    });

    test('delete takes everything with it', async () => {
      await cluster.kubectl(['delete', '-f', '-', '--timeout=50s'], { input: workload });
      await until(
        () => ask('get', 'pods', '-o', 'name'),
        (pods) => !/web|shell/.test(pods),
      );
      assert.equal(await ask('get', 'replicasets', '-o', 'name'), '');
      await assert.rejects(connected(18_480));
    });
  });
}

function connected(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
