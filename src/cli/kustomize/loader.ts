import { readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { CliError } from '../failures.ts';

/** A folder of a build. Its files are in it, unless the restriction is off; the folders that it names may be anywhere. */
export interface Loader {
  /** Absolute, without links. */
  readonly root: string;
  /** Folders that led here, which must not be named again. */
  readonly visited: readonly string[];
  readonly isRestricted: boolean;
}

const remotePattern = /^([a-z][a-z0-9+.-]*:|git@|github\.com[/:])|\?(ref|version|timeout|submodules)=|\.git(\/|$)/i;

/** Remote folders and files would be fetched by programs and from places that a build should not depend on. */
export function refuseRemote(path: string): void {
  if (remotePattern.test(path)) throw new CliError(`remote resources are not supported: ${path}`);
}

export function openFolder(path: string, isRestricted: boolean): Loader {
  refuseRemote(path);
  return { root: folderAt(path), visited: [], isRestricted };
}

/** The folder that a kustomization names. Throws CliError. */
export function openBelow({ root, visited, isRestricted }: Loader, path: string): Loader {
  refuseRemote(path);
  if (isAbsolute(path)) throw new CliError(`new root '${path}' cannot be absolute`);
  const folder = folderAt(resolve(root, path));
  const seen = [...visited, root];
  const cycle = seen.find((each) => isWithin(each, folder));
  if (cycle !== undefined) {
    throw new CliError(`cycle detected: candidate root '${folder}' contains visited root '${cycle}'`);
  }
  return { root: folder, visited: seen, isRestricted };
}

function folderAt(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new CliError(
      `must build at directory: not a valid directory: evalsymlink failure on '${path}' : lstat ${resolve(path)}: no such file or directory`,
    );
  }
  if (!stat.isDirectory()) throw new CliError(`must build at directory: '${path}': file is not directory`);
  return realpathSync(path);
}

/** Bytes of a file that a kustomization names. Throws CliError. */
export function loadFile({ root, isRestricted }: Loader, path: string): Buffer {
  refuseRemote(path);
  const absolute = resolve(root, path);
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new CliError(`evalsymlink failure on '${absolute}' : lstat ${absolute}: no such file or directory`);
  }
  if (stat.isDirectory()) throw new CliError(`'${realpathSync(absolute)}' must resolve to a file`);
  const real = realpathSync(absolute);
  if (isRestricted && !isWithin(real, root)) {
    throw new CliError(`security; file '${real}' is not in or below '${root}'`);
  }
  return readFile(real);
}

export function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`open ${path}: ${(error as Error).message}`);
  }
}

const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(join('..', '/')) || isAbsolute(way));
};
