import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar-stream';

export interface Registry {
  /** Host and port, as it stands in front of an image's name. */
  readonly host: string;
  /** Uploads the image of an archive from `images.ts`. @returns the reference to pull. */
  push(archivePath: string, repository: string, tag: string): Promise<string>;
  stop(): Promise<void>;
}

/**
 * A real registry (Debian's docker-registry) on loopback, which containerd speaks to over plain HTTP. With
 * `credentials` it lets nobody in without them.
 */
export async function startRegistry(
  options: { readonly credentials?: { readonly username: string; readonly password: string } } = {},
): Promise<Registry> {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'));
  const port = await freePort();
  const { credentials } = options;
  const lines = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${directory}/data}}`,
    `http: {addr: '127.0.0.1:${port}', secret: ${randomBytes(8).toString('hex')}}`,
  ];
  if (credentials !== undefined) {
    lines.push(`auth: {htpasswd: {realm: test, path: ${directory}/htpasswd}}`);
    await writeFile(join(directory, 'htpasswd'), await passwordLine(credentials));
  }
  await writeFile(join(directory, 'config.yml'), lines.join('\n'));
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  const authorization =
    credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const request = (method: string, path: string, body?: Uint8Array, type = 'application/octet-stream') =>
    fetch(new URL(path, `http://127.0.0.1:${port}`), {
      method,
      headers: { 'content-type': type, ...(authorization ? { authorization } : {}) },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('docker-registry ended')));
  ended.catch(() => {});
  await Promise.race([answers(() => request('GET', '/v2/')), ended]);
  const host = `127.0.0.1:${port}`;
  return {
    host,
    async push(archivePath, repository, tag) {
      await pushArchive(request, archivePath, repository, tag);
      return `${host}/${repository}:${tag}`;
    },
    async stop() {
      const exit = once(child, 'exit');
      child.kill();
      await exit;
      await rm(directory, { recursive: true });
    },
  };
}

type Send = (method: string, path: string, body?: Uint8Array, type?: string) => Promise<Response>;

async function pushArchive(send: Send, archivePath: string, repository: string, tag: string): Promise<void> {
  const files = await readArchive(archivePath);
  const index = JSON.parse(files.get('index.json')!.toString()) as {
    manifests: [{ digest: string; mediaType: string }];
  };
  const [{ digest, mediaType }] = index.manifests;
  for (const [path, content] of files) {
    if (!path.startsWith('blobs/') || path.endsWith(digest.slice('sha256:'.length))) continue;
    const start = await send('POST', `/v2/${repository}/blobs/uploads/`);
    const target = new URL(start.headers.get('location') ?? '', start.url);
    target.searchParams.set('digest', `sha256:${createHash('sha256').update(content).digest('hex')}`);
    await expectOk(await send('PUT', target.href, content));
  }
  const manifest = files.get(`blobs/sha256/${digest.slice('sha256:'.length)}`)!;
  await expectOk(await send('PUT', `/v2/${repository}/manifests/${tag}`, manifest, mediaType));
}

async function expectOk(response: Response): Promise<void> {
  const text = await response.text();
  if (!response.ok) throw new Error(`registry answered ${response.status}: ${text}`);
}

async function readArchive(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const archive = extract();
  archive.end(await readFile(path));
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}

/** A registry wants bcrypt, which openssl and Node lack; busybox and perl have it by way of crypt(3). */
async function passwordLine({ username, password }: { username: string; password: string }): Promise<string> {
  const child = spawn('perl', [
    '-e',
    'print crypt($ARGV[0], "\\$2y\\$05\\$" . $ARGV[1])',
    password,
    randomBytes(16).toString('hex').slice(0, 22),
  ]);
  let hash = '';
  child.stdout.on('data', (chunk) => {
    hash += chunk;
  });
  await once(child, 'close');
  return `${username}:${hash}\n`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const ok = await ask().then(
      () => true,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
