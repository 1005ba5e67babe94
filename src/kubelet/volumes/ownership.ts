import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Gives a volume to a group (`fsGroup`): every file is readable by it, writable unless the volume is read-only, and
 * what is made in its directories belongs to the group as well.
 */
export async function giveToGroup(path: string, gid: number, options: { readonly readOnly: boolean }): Promise<void> {
  const info = await lstat(path);
  await lchown(path, info.uid, gid);
  if (info.isSymbolicLink()) return;
  const forFiles = options.readOnly ? 0o440 : 0o660;
  const forDirectories = 0o110 | 0o2000;
  const mode = (info.mode & 0o7777) | forFiles | (info.isDirectory() ? forDirectories : 0);
  if (mode !== (info.mode & 0o7777)) await chmod(path, mode);
  if (!info.isDirectory()) return;
  for (const name of await readdir(path)) await giveToGroup(join(path, name), gid, options);
}

/** Whether a volume belongs to the group already: with OnRootMismatch it is then left as it is. */
export async function belongsToGroup(
  path: string,
  gid: number,
  options: { readonly readOnly: boolean },
): Promise<boolean> {
  const info = await lstat(path);
  const needed = (options.readOnly ? 0o440 : 0o660) | 0o110 | 0o2000;
  return info.gid === gid && (info.mode & needed) === needed;
}
