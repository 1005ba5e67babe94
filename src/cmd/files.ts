import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const troubles: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EEXIST: 'a file is in its place',
  EISDIR: 'it is a folder',
  ELOOP: 'links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a file is in place of a folder above it',
  EPERM: 'this user may not',
  EROFS: 'it can only be read',
};

/** Why a file could not be read or written, in a few words. */
export function fileTrouble(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return troubles[code] ?? message.split('\n')[0]!;
}

const ownerOnly = 0o700;

/**
 * Makes a folder, and those above it, for the owner alone. Node's own way of making those above never ends where the
 * system says that there is no such folder although the one above is there, as below `/proc`.
 * @throws Error of the system
 */
export function makeFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  const above = dirname(path);
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path, { mode: ownerOnly });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error;
  }
}
