import { basename, join, resolve } from 'node:path';
import { text, type Values } from './commands/command.ts';
import { defaultDataDir } from './config.ts';

/** The data folder whose cluster owns the plain names. */
const systemDataDir = '/var/lib/proa';

/** What a cluster is called outside its data folder, so that several on one machine do not meet. */
export interface MachineNames {
  /** Sockets and what a reboot may forget. */
  readonly runDir: string;
  readonly cgroupRoot: string;
  /** nftables' table with the cluster's rules. */
  readonly nftablesTable: string;
}

/** The names that belong to a data folder, whether its cluster runs or not. */
export function machineNames(dataDir: string): MachineNames {
  const folder = resolve(dataDir);
  const runDir = folder === systemDataDir ? '/run/proa' : `/run/proa-${shortHash(folder)}`;
  return { runDir, cgroupRoot: join('/', basename(runDir)), nftablesTable: basename(runDir).replace('-', '_') };
}

/** The data folder that a command is about. */
export function dataDirOf(values: Values): string {
  return resolve(text(values, 'data-dir') ?? defaultDataDir());
}

/** Socket paths may have 107 bytes, so a folder elsewhere gets a short name under /run. */
function shortHash(path: string): string {
  let hash = 0;
  for (const character of path) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
  return hash.toString(36);
}
