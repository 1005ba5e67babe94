import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import { milliCpu, podAmounts, qosClassOf } from '../pods/resources.ts';
import { cpuSharesOf } from '../runtime/linux-resources.ts';

/**
 * Gives the cgroups of the service classes their share of CPU time under contention: burstable pods what they asked
 * for together, best-effort pods what is left.
 */
export async function applyQosCgroups({ config, host }: NodeParts, pods: readonly Pod[]): Promise<void> {
  if (host.cgroups === undefined) return;
  const burstable = pods
    .filter((pod) => qosClassOf(pod) === 'Burstable')
    .reduce((sum, pod) => sum + milliCpu(podAmounts(pod, 'requests')['cpu']), 0);
  await host.cgroups.create(config.cgroupRoot, { cpuShares: cpuSharesOf(host.machine.cpus * 1000) });
  await host.cgroups.create(`${config.cgroupRoot}/burstable`, { cpuShares: cpuSharesOf(burstable) });
  await host.cgroups.create(`${config.cgroupRoot}/besteffort`, { cpuShares: cpuSharesOf(0) });
}
