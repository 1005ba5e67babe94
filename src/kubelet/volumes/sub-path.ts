import { lstat, mkdir, realpath } from 'node:fs/promises';
import { join, normalize } from 'node:path';

/**
 * The real path of `subPath` in a volume, made when it is not there. Throws when it leads out of the volume, also
 * through links that a container has put there. The result has no links in it, so nothing can be changed below it
 * between this check and the mount.
 */
export async function resolveSubPath(volume: string, subPath: string): Promise<string> {
  const parts = normalize(subPath)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (subPath.startsWith('/') || parts.includes('..'))
    throw new Error(`subPath ${JSON.stringify(subPath)} must be a relative path without ".."`);
  const root = await realpath(volume);
  let current = root;
  for (const [index, part] of parts.entries()) {
    const next = join(current, part);
    const exists = await lstat(next).then(
      () => true,
      () => false,
    );
    if (!exists) {
      const rest = join(current, ...parts.slice(index));
      const { mode } = await lstat(root);
      await mkdir(rest, { recursive: true, mode: mode & 0o777 });
      return rest;
    }
    current = await realpath(next);
    if (current !== root && !current.startsWith(`${root}/`))
      throw new Error(`subPath ${JSON.stringify(subPath)} is not inside the volume`);
  }
  return current;
}
