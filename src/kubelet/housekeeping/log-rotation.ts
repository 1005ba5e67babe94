import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Cri } from '../cri/cri.ts';

export interface RotationLimits {
  readonly maxBytes: number;
  /** With the one being written. */
  readonly maxFiles: number;
}

/**
 * Rotates the log of a running container when it has grown too large: the file is renamed with the time behind its
 * name, the runtime opens a new one, and older files are compressed and finally removed.
 */
export async function rotateLog(
  cri: Cri,
  container: { readonly id: string; readonly logPath: string },
  limits: RotationLimits,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { logPath } = container;
  const info = await stat(logPath).catch(() => undefined);
  if (info === undefined || info.size < limits.maxBytes) return;
  const rotated = await rotatedFiles(logPath);
  // The newest rotated file stays as it is: whoever follows may still be reading it.
  for (const path of rotated) if (!path.endsWith('.gz')) await compress(path);
  const keep = Math.max(0, limits.maxFiles - 2);
  const compressed = await rotatedFiles(logPath);
  for (const path of compressed.slice(0, Math.max(0, compressed.length - keep))) await rm(path, { force: true });
  const time = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  await rename(logPath, `${logPath}.${time}`);
  try {
    await cri.reopenContainerLog(container.id, signal);
  } catch (error) {
    // Without a new file the container would go on writing into the old one, unseen.
    await rename(`${logPath}.${time}`, logPath);
    throw error;
  }
}

/** Oldest first. */
async function rotatedFiles(logPath: string): Promise<readonly string[]> {
  const prefix = `${basename(logPath)}.`;
  const names = await readdir(dirname(logPath));
  return names
    .filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp'))
    .sort()
    .map((name) => join(dirname(logPath), name));
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await pipeline(
    createReadStream(path),
    process.getBuiltinModule('node:zlib').createGzip(),
    createWriteStream(temporary),
  );
  await rename(temporary, `${path}.gz`);
  await rm(path, { force: true });
}
