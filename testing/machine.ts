import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { silentLog } from '#base/log.ts';
import { secureRandom } from '#base/random.ts';

/** Tests on the real machine need root; elsewhere they are not defined. */
export const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

/** The real clock, kept alive while a test waits. */
export function machineEnvironment(): Environment {
  return { clock: systemClock({ keepAlive: true }), random: secureRandom(), log: silentLog };
}

/** A folder that is gone when the test is. */
export async function temporaryDirectory(t: { after(callback: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'proa-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Where images are kept between runs of the tests. */
export const imageCacheDir = join(tmpdir(), 'proa-test-images');
