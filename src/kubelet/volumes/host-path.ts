import { mkdir, open, stat } from 'node:fs/promises';

/** Checks, or makes, what a hostPath volume says is there. Throws with upstream's message. */
export async function prepareHostPath(path: string, type: string): Promise<void> {
  if (type === '') return;
  const found = await stat(path).catch(() => undefined);
  const wrong = (what: string) => new Error(`hostPath type check failed: ${path} is not ${what}`);
  switch (type) {
    case 'DirectoryOrCreate':
      if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
      else if (!found.isDirectory()) throw wrong('a directory');
      return;
    case 'FileOrCreate':
      if (found === undefined) await (await open(path, 'a', 0o644)).close();
      else if (!found.isFile()) throw wrong('a file');
      return;
    case 'Directory':
      if (!found?.isDirectory()) throw wrong('a directory');
      return;
    case 'File':
      if (!found?.isFile()) throw wrong('a file');
      return;
    case 'Socket':
      if (!found?.isSocket()) throw wrong('a socket file');
      return;
    case 'CharDevice':
      if (!found?.isCharacterDevice()) throw wrong('a character device');
      return;
    case 'BlockDevice':
      if (!found?.isBlockDevice()) throw wrong('a block device');
      return;
    default:
      throw new Error(`${type} is an invalid volume type`);
  }
}
