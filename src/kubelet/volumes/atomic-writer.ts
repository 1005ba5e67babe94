import {
  chmod,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file of a volume. The owner is root unless said otherwise. */
export interface VolumeFile {
  readonly data: Uint8Array;
  readonly mode: number;
  readonly uid?: number | undefined;
}

/** Files by their path relative to the volume, with `/` between the parts. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

const dataLink = '..data';
const nextDataLink = '..data_tmp';

/**
 * Puts files into a volume so that a reader sees either all old or all new ones: each set is in a directory of its
 * own, `..data` points to the present one, and what containers open leads through it. Renaming a link is atomic.
 * `finish` runs over the new directory before anybody sees it. Returns whether anything changed.
 */
export async function writeAtomically(
  directory: string,
  files: VolumeFiles,
  finish: (path: string) => Promise<void> = async () => {},
): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const present = await readlink(join(directory, dataLink)).catch(() => undefined);
  if (present !== undefined && (await holds(join(directory, present), files))) {
    await linkEntries(directory, files);
    return false;
  }
  // Names that begin with two dots are hidden from whoever lists the volume. (`join` would take them for the parent.)
  const fresh = await mkdtemp(`${directory}/..set-`);
  await chmod(fresh, 0o755);
  for (const [path, { data, mode, uid }] of files) {
    const target = join(fresh, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, data);
    if (uid !== undefined) await lchown(target, uid, -1);
    // The umask must not take anything away.
    await chmod(target, mode);
  }
  await finish(fresh);
  await rm(join(directory, nextDataLink), { force: true });
  await symlink(fresh.slice(directory.length + 1), join(directory, nextDataLink));
  await rename(join(directory, nextDataLink), join(directory, dataLink));
  await linkEntries(directory, files);
  await removeStale(directory, files, fresh.slice(directory.length + 1));
  return true;
}

async function holds(directory: string, files: VolumeFiles): Promise<boolean> {
  const paths = await filesBelow(directory, '').catch(() => undefined);
  if (paths === undefined || paths.length !== files.size) return false;
  for (const path of paths) {
    const file = files.get(path);
    if (file === undefined) return false;
    const bytes = await readFile(join(directory, path));
    if (!bytes.equals(file.data)) return false;
    const { uid } = await stat(join(directory, path));
    if (file.uid !== undefined && file.uid !== uid) return false;
  }
  return true;
}

async function filesBelow(directory: string, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(directory, path)));
    else found.push(path);
  }
  return found;
}

function topNames(files: VolumeFiles): ReadonlySet<string> {
  return new Set([...files.keys()].map((path) => path.split('/')[0]!));
}

async function linkEntries(directory: string, files: VolumeFiles): Promise<void> {
  for (const name of topNames(files)) {
    const path = join(directory, name);
    const exists = await lstat(path).then(
      () => true,
      () => false,
    );
    if (!exists) await symlink(`${dataLink}/${name}`, path);
  }
}

async function removeStale(directory: string, files: VolumeFiles, current: string): Promise<void> {
  const wanted = topNames(files);
  for (const name of await readdir(directory)) {
    const isOurs = name === dataLink || name === current || wanted.has(name);
    if (!isOurs) await rm(join(directory, name), { recursive: true, force: true });
  }
}
