import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sleep } from '#base/clock.ts';
import { openCgroups } from '#kubelet/containerd/cgroups/cgroups.ts';
import {
  type Containerd,
  type ContainerdOptions,
  removeAllPods,
  startContainerd,
  stopContainerd,
} from '#kubelet/containerd/daemon/start.ts';
import { pauseImageReference } from '#kubelet/containerd/pause-image/image.ts';
import type { CriEvent, PodSandboxConfig } from '#kubelet/cri/cri.ts';
import { runCommand } from '#system/run-command.ts';
import { busyboxImage, testImages } from './images/images.ts';
import { startRegistry } from './images/registry.ts';
import { imageCacheDir, isRoot, machineEnvironment } from './machine.ts';

const signal = new AbortController().signal;

if (isRoot) {
  describe('containerd', () => {
    const base = `/run/proa-test-${process.pid}`;
    const cgroup = `/proa-test-${process.pid}`;
    const options: ContainerdOptions = {
      dataDir: join(base, 'data'),
      runDir: base,
      podCidr: '10.251.7.0/24',
      environment: machineEnvironment(),
    };
    let containerd: Containerd;
    const sandboxConfig: PodSandboxConfig = {
      metadata: { name: 'pod', uid: 'uid', namespace: 'default', attempt: 0 },
      hostname: 'pod',
      logDirectory: join(base, 'logs'),
      linux: { cgroupParent: `${cgroup}/pod`, securityContext: { namespaceOptions: {} } },
    };

    before(async () => {
      await mkdir(options.dataDir, { recursive: true });
      containerd = await startContainerd(options, signal);
      await containerd.importImages(await busyboxImage(imageCacheDir), signal);
    });

    after(async () => {
      await removeAllPods(containerd.cri, signal);
      containerd.close();
      await stopContainerd(options, signal);
      await (await openCgroups(options.environment.clock)).remove(cgroup, signal);
      await rm(base, { recursive: true, force: true });
    });

    async function startShell(
      script: string,
      podConfig = sandboxConfig,
    ): Promise<{ sandboxId: string; containerId: string }> {
      const { cri } = containerd;
      const sandboxId = await cri.runPodSandbox({ config: podConfig }, signal);
      const config = {
        metadata: { name: 'shell', attempt: 0 },
        image: { image: testImages.busybox },
        command: ['sh', '-c', script],
        logPath: 'shell.log',
        linux: {},
      };
      const containerId = await cri.createContainer(
        { podSandboxId: sandboxId, config, sandboxConfig: podConfig },
        signal,
      );
      await cri.startContainer(containerId, signal);
      return { sandboxId, containerId };
    }

    async function removeSandbox(sandboxId: string): Promise<void> {
      await containerd.cri.stopPodSandbox(sandboxId, signal);
      await containerd.cri.removePodSandbox(sandboxId, signal);
    }

    test('the pause image is there without a registry', async () => {
      assert.ok(await containerd.cri.imageStatus({ image: pauseImageReference }, signal));
    });

    test('a start removes the interfaces of pods that no runtime knows', async () => {
      const [stray, address, namespace] = [`stray${process.pid % 10_000}`, '10.251.7.77', `cni-stray-${process.pid}`];
      const ip = (...args: string[]): Promise<string> => runCommand('ip', args, signal);
      await ip('netns', 'add', namespace);
      await ip('link', 'add', stray, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      await ip('link', 'set', stray, 'up');
      await ip('route', 'add', address, 'dev', stray);
      await startContainerd(options, signal).then((again) => again.close());
      assert.equal(await ip('route', 'show', 'root', options.podCidr), '');
      assert.doesNotMatch(await ip('netns', 'list'), new RegExp(namespace));
    });

    test('a second start adopts it, and its containers survive a crash of it', async () => {
      const { sandboxId, containerId } = await startShell('sleep 1000');
      const second = await startContainerd(options, signal);
      assert.equal(second.adopted, true);
      second.close();
      await stopContainerd(options, signal);
      containerd.close();
      containerd = await startContainerd(options, signal);
      assert.equal(containerd.adopted, false);
      const { status } = await containerd.cri.containerStatus({ containerId }, signal);
      assert.equal(status?.state, 'CONTAINER_RUNNING');
      await removeSandbox(sandboxId);
      await removeSandbox(sandboxId);
    });

    test('the end of a container is an event whose status can be read at once', async () => {
      const stop = new AbortController();
      const events = containerd.cri.events(stop.signal)[Symbol.asyncIterator]();
      const first = events.next();
      const { sandboxId, containerId } = await startShell('read line; exit 3 < /dev/null');
      let event: CriEvent | undefined = (await first).value;
      while (event?.type !== 'exited') event = (await events.next()).value;
      assert.deepEqual(event, { type: 'exited', id: containerId, exitCode: 3 });
      const { status } = await containerd.cri.containerStatus({ containerId }, signal);
      assert.equal(status?.state, 'CONTAINER_EXITED');
      stop.abort();
      await removeSandbox(sandboxId);
    });

    test('large input and output pass through exec, and a port is forwarded', async () => {
      const { cri, streams } = containerd;
      const { sandboxId, containerId } = await startShell('echo hello > /tmp/index.html; httpd -f -p 8080 -h /tmp');
      const all = { stdin: true, stdout: true, stderr: true, tty: false };
      const cmd = ['sh', '-c', 'wc -c >&2; dd if=/dev/zero bs=1M count=20 2>/dev/null; exit 5'];
      const process = await streams.process(
        await cri.exec({ containerId, cmd, stdin: true, stdout: true, stderr: true }, signal),
        all,
        signal,
      );
      const writing = (async () => {
        for (let count = 0; count < 32; count++) await process.stdin!.write(Buffer.alloc(64 * 1024, 'a'));
        await process.stdin!.end();
      })();
      const counted = text(process.stderr!);
      let received = 0;
      for await (const bytes of process.stdout!) received += bytes.length;
      await writing;
      assert.equal(received, 20 * 1024 * 1024);
      assert.equal((await counted).trim(), String(32 * 64 * 1024));
      assert.deepEqual(await process.exit, { outcome: 'exited', code: 5 });

      const open = async (port: number) =>
        streams.portForward(await cri.portForward({ podSandboxId: sandboxId, port: [port] }, signal), port, signal);
      const web = await open(8080);
      await web.write(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
      assert.match(await text(web.readable), /hello\n$/);
      await web.end();
      const refused = await open(81);
      await assert.rejects(text(refused.readable), /connection refused/);
      refused.destroy();
      await removeSandbox(sandboxId);
    });

    test('a host port leads to the pod from this machine’s own addresses', async () => {
      const portMappings = [{ protocol: 'TCP', containerPort: 8080, hostPort: 18_473 }] as const;
      const config = { ...sandboxConfig, metadata: { ...sandboxConfig.metadata, attempt: 1 }, portMappings };
      const { sandboxId } = await startShell('echo hello > /tmp/index.html; httpd -f -p 8080 -h /tmp', config);
      const ask = () => fetch('http://127.0.0.1:18473/').then((answer) => answer.text());
      // The server in the pod takes a moment to listen.
      while ((await ask().catch(() => '')) !== 'hello\n') await sleep(options.environment.clock, 10);
      await removeSandbox(sandboxId);
      await assert.rejects(ask());
    });

    test('an image comes from a registry, with credentials where it wants them', async () => {
      const credentials = { username: 'ada', password: 'secret' };
      const registry = await startRegistry({ credentials });
      try {
        const image = { image: await registry.push(await busyboxImage(imageCacheDir), 'team/tools', '1') };
        await assert.rejects(containerd.cri.pullImage({ image }, signal), /authorization|401|no basic auth/i);
        const reference = await containerd.cri.pullImage({ image, auth: credentials }, signal);
        assert.ok((await containerd.cri.imageStatus({ image: reference }, signal))?.id);
      } finally {
        await registry.stop();
      }
    });

    test('pod cgroups carry their limits and go when the pod is gone', async () => {
      const cgroups = await openCgroups(options.environment.clock);
      await cgroups.create(`${cgroup}/pod`, {
        cpuShares: 512,
        cpuQuotaUs: 50_000,
        memoryBytes: 64 << 20,
        processes: 100,
      });
      const { sandboxId } = await startShell('sleep 1000');
      assert.ok((await cgroups.usage(`${cgroup}/pod`))!.memoryBytes > 0);
      assert.equal((await cgroups.list(`${cgroup}/pod`)).length, 2);
      await removeSandbox(sandboxId);
      await cgroups.remove(`${cgroup}/pod`, signal);
      assert.deepEqual(await cgroups.list(cgroup), []);
    });

    test('a broken configuration is said in one line', async () => {
      const broken = { ...options, runDir: `${base}/broken`, dataDir: `${base}/broken-data` };
      await mkdir(broken.dataDir, { recursive: true });
      await writeFile(join(broken.dataDir, 'containerd'), 'not a folder');
      await assert.rejects(startContainerd(broken, signal), /^Error: containerd ended: .*containerd/);
    });
  });
}

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}
