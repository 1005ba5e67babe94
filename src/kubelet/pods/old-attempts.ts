import type { Cri } from '../cri/cri.ts';
import type { Host } from '../host/host.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';

/**
 * Removes what a pod no longer needs: of every container only the present attempt and the one before it are kept (for
 * `logs --previous` and `lastState`), and of the sandboxes only those that still have containers.
 */
export async function removeOldAttempts(
  { cri, host }: { readonly cri: Cri; readonly host: Host },
  runtime: PodRuntime,
  signal: AbortSignal,
): Promise<void> {
  const remove = async ({ id, logPath }: { readonly id: string; readonly logPath: string }) => {
    await cri.removeContainer(id, signal);
    await host.logs.remove(logPath);
  };
  const kept = new Map<string, number>();
  const sandboxes = new Set<string>();
  for (const { id, logPath, name, sandboxId, state } of runtime.containers) {
    const count = kept.get(name) ?? 0;
    kept.set(name, count + 1);
    if (count >= 2 && state !== 'running') await remove({ id, logPath });
    else sandboxes.add(sandboxId);
  }
  for (const [index, { id, ready }] of runtime.sandboxes.entries())
    if (index > 0 && !ready && !sandboxes.has(id)) await cri.removePodSandbox(id, signal);
}
