import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeParts } from '../parts.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import type { Eviction } from '../pods/pod-sync.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { amountsOf } from '../pods/resources.ts';

/** Files that are counted in one volume; a larger one is taken for what was counted. */
const maxCountedFiles = 100_000;

/** Pods with an emptyDir on disk that has outgrown its `sizeLimit`. In memory the file system itself holds the limit. */
export async function overfullPods(
  { host }: NodeParts,
  manager: PodManager,
): Promise<readonly { readonly worker: PodWorker; readonly eviction: Eviction }[]> {
  const found: { worker: PodWorker; eviction: Eviction }[] = [];
  if (host.storage === undefined) return found;
  for (const worker of manager.workers) {
    if (!worker.isActive) continue;
    for (const { name, emptyDir } of worker.pod.spec.volumes ?? []) {
      const limit = emptyDir?.sizeLimit;
      if (limit === undefined || emptyDir?.medium === 'Memory') continue;
      const volumes = join(host.storage.rootDirectory, 'pods', worker.uid, 'volumes');
      const bytes = await diskUsage(join(volumes, 'kubernetes.io~empty-dir', name), { left: maxCountedFiles });
      if (bytes <= (amountsOf({ limit })['limit'] ?? 0)) continue;
      const message = `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
      found.push({ worker, eviction: { reason: 'Evicted', message } });
      break;
    }
  }
  return found;
}

const blockBytes = 512;

async function diskUsage(path: string, budget: { left: number }): Promise<number> {
  const info = await lstat(path).catch(() => undefined);
  if (info === undefined || budget.left-- <= 0) return 0;
  let bytes = info.blocks * blockBytes;
  if (!info.isDirectory()) return bytes;
  for (const name of await readdir(path).catch(() => [])) bytes += await diskUsage(join(path, name), budget);
  return bytes;
}
