import { mkdir, readFile } from 'node:fs/promises';
import { runCommand } from '#system/run-command.ts';

/** One line of /proc/self/mountinfo (proc(5)), as far as it is of use. */
export interface Mount {
  readonly mountPoint: string;
  readonly type: string;
  /** Options of the file system itself, for cgroup v1 the controllers. */
  readonly superOptions: readonly string[];
  readonly isShared: boolean;
}

export async function readMounts(): Promise<readonly Mount[]> {
  return parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
}

export function parseMounts(text: string): readonly Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const fields = before.split(' ');
      const [type = '', , superOptions = ''] = after.split(' ');
      return {
        // Blanks and the like stand as octal escapes.
        mountPoint: (fields[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
          String.fromCharCode(Number.parseInt(octal, 8)),
        ),
        type,
        superOptions: superOptions.split(','),
        isShared: fields.slice(6).some((field) => field.startsWith('shared:')),
      };
    });
}

/**
 * Makes mounts below `directory` visible on both sides: of containers with Bidirectional propagation, and of the host.
 * Upstream demands the same of the kubelet's directory. Does nothing where it holds already.
 */
export async function shareMounts(directory: string, signal: AbortSignal): Promise<void> {
  await mkdir(directory, { recursive: true });
  const existing = (await readMounts()).findLast((mount) => mount.mountPoint === directory);
  if (existing?.isShared) return;
  if (existing === undefined) await runCommand('mount', ['--bind', directory, directory], signal);
  await runCommand('mount', ['--make-rshared', directory], signal);
}

/** Unmounts `directory` and everything mounted below it, deepest first. */
export async function unmountAll(directory: string, signal: AbortSignal): Promise<void> {
  const inside = (await readMounts())
    .map((mount) => mount.mountPoint)
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
  for (const point of inside.reverse()) {
    // Lazily: a process that still stands in the directory must not keep the mount.
    await runCommand('umount', ['--lazy', point], signal);
  }
}
