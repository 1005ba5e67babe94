import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { seededRandom } from '#base/random.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';
import { runKubectl } from '../../kubectl.ts';

let cluster: HttpCluster;
before(async () => {
  cluster = await startHttpCluster({ nodes: 0 });
});
after(() => cluster.stop());

/** Runs a proxy on a socket while `use` asks it; its answers are status and text. */
async function proxied(
  args: readonly string[],
  use: (get: (path: string, host?: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const socketPath = join(cluster.folder, 'proxy.sock');
  const interruption = new AbortController();
  const serving = Promise.withResolvers<void>();
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      serving.resolve();
      done();
    },
  });
  const running = runKubectl(['proxy', `--unix-socket=${socketPath}`, ...args], {
    stdin: Readable.from([]),
    stdout,
    stderr: stdout,
    env: { KUBECONFIG: cluster.kubeconfig },
    clock: systemClock(),
    random: seededRandom(1),
    signal: interruption.signal,
  });
  await serving.promise;
  const get = (path: string, host = 'localhost'): Promise<string> =>
    new Promise((resolve, reject) => {
      request({ socketPath, path, headers: { host }, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.once('end', () => resolve(`${response.statusCode} ${text}`));
      })
        .once('error', reject)
        .end();
    });
  try {
    await use(get);
  } finally {
    interruption.abort();
    await running;
  }
}

test('a proxy passes on what its filters let through', async () => {
  await proxied(['--accept-paths=^/healthz$,^/api', '--reject-paths=^/apis'], async (get) => {
    assert.equal(await get('/healthz'), '200 ok');
    assert.equal(await get('/healthz', 'evil.example.com'), '403 Forbidden\n');
    assert.equal(await get('/apis'), '403 Forbidden\n');
    assert.equal(await get('/version'), '403 Forbidden\n');
  });
  await proxied(['--disable-filter', '--api-prefix=/k8s/'], async (get) => {
    assert.equal(await get('/k8s/healthz', 'anything'), '200 ok');
    assert.equal(await get('/healthz', 'anything'), '404 404 page not found\n');
  });
});

test('a proxy serves the files of a folder, and nothing outside of it', async () => {
  const folder = join(cluster.folder, 'www');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.txt'), 'hello');
  await proxied([`--www=${folder}`], async (get) => {
    assert.equal(await get('/static/a.txt'), '200 hello');
    assert.match(await get('/static/'), /^200 [\s\S]*<a href="a.txt">a.txt<\/a>\n/);
    assert.equal(await get('/static/../kubeconfig'), '404 404 page not found\n');
    assert.equal(await get('/static/%2e%2e%2fkubeconfig'), '404 404 page not found\n');
  });
});
