import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildImageArchive, type ImageDescription, type ImageEntry } from '#kubelet/containerd/image-archive.ts';

/** Names of the images that tests run; nothing ever pulls them. */
export const testImages = {
  busybox: 'proa.local/busybox:1',
  pause: 'proa.local/pause:1',
  /** An HTTP server on the bundled Node: see `http-server.js`. */
  httpServer: 'proa.local/http-server:1',
} as const;

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const baseEntries: readonly ImageEntry[] = [
  { type: 'directory', path: 'bin', mode: 0o755 },
  { type: 'directory', path: 'etc', mode: 0o755 },
  { type: 'directory', path: 'root', mode: 0o700 },
  { type: 'directory', path: 'tmp', mode: 0o1777 },
  text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n'),
  text('etc/group', 'root:x:0:\nnobody:x:65534:\n'),
];

/** Debian's busybox-static with a link for each of its programs. @returns the path of a tar in `cacheDir`. */
export async function busyboxImage(cacheDir: string): Promise<string> {
  return cached(cacheDir, {
    reference: testImages.busybox,
    architecture,
    entries: [...baseEntries, ...(await busyboxEntries())],
    config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
  });
}

/**
 * A server on port 8080 (or `PORT`) that answers `GET /` with its host name, `/echo` with the request as JSON, `/env`
 * with its environment, `/exit/CODE` by exiting, and turns unhealthy at `/fail`. Has a shell, too.
 * @returns the path of a tar in `cacheDir`.
 */
export async function httpServerImage(cacheDir: string): Promise<string> {
  const libraries = await sharedLibraries(process.execPath);
  const directories = new Set(libraries.flatMap((path) => parents(path)));
  return cached(cacheDir, {
    reference: testImages.httpServer,
    architecture,
    entries: [
      ...baseEntries.filter((entry) => !directories.has(entry.path)),
      ...[...directories].map((path) => ({ type: 'directory', path, mode: 0o755 }) as const),
      ...(await Promise.all(libraries.map((path) => file(path.slice(1), path, 0o755)))),
      ...(await busyboxEntries()),
      await file('bin/node', process.execPath, 0o755),
      await file('server.js', join(import.meta.dirname, 'http-server.js'), 0o644),
    ],
    config: {
      Entrypoint: ['/bin/node', '/server.js'],
      Env: ['PATH=/bin'],
      ExposedPorts: { '8080/tcp': {} },
      WorkingDir: '/',
    },
  });
}

async function busyboxEntries(): Promise<readonly ImageEntry[]> {
  const program = await file('bin/busybox', '/bin/busybox', 0o755);
  const { stdout } = await promisify(execFile)('/bin/busybox', ['--list']);
  const names = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  return [program, ...names.map((name) => ({ type: 'link', path: `bin/${name}`, target: 'busybox' }) as const)];
}

/** The loader and libraries that a program needs, by their absolute paths. */
async function sharedLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
}

function parents(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

async function file(path: string, source: string, mode: number): Promise<ImageEntry> {
  return { type: 'file', path, mode, content: await readFile(source) };
}

function text(path: string, content: string): ImageEntry {
  return { type: 'file', path, mode: 0o644, content: Buffer.from(content) };
}

/** The archive of a description, made once and found again by what went into it. */
async function cached(cacheDir: string, image: ImageDescription): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify({ ...image, entries: [] }));
  for (const entry of image.entries) {
    hash.update(JSON.stringify({ ...entry, content: undefined }));
    if (entry.type === 'file') hash.update(entry.content);
  }
  const path = join(cacheDir, `${hash.digest('hex').slice(0, 16)}.tar`);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) return path;
  await mkdir(cacheDir, { recursive: true });
  await writeFile(`${path}.new`, await buildImageArchive(image));
  await rename(`${path}.new`, path);
  return path;
}
