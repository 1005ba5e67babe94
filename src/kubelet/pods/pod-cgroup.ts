import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import { cpuQuotaOf, cpuSharesOf } from '../runtime/linux-resources.ts';
import { milliCpu, podAmounts, podCgroup, qosClassOf } from './resources.ts';

/** Gives the pod a cgroup with what it asks for as a whole; limits only where every container has one. */
export async function applyPodCgroup({ host, config, metrics }: NodeParts, pod: Pod): Promise<void> {
  const { cgroups } = host;
  if (cgroups === undefined) return;
  const requests = podAmounts(pod, 'requests');
  const limits = podAmounts(pod, 'limits');
  const limited = (name: string) =>
    pod.spec.resources?.limits?.[name] !== undefined ||
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].every(
      ({ resources }) => resources?.limits?.[name] !== undefined,
    );
  const cpu = milliCpu(requests['cpu'] ?? limits['cpu']);
  const quota = limited('cpu') ? cpuQuotaOf(milliCpu(limits['cpu'])) : 0;
  const memory = limited('memory') ? (limits['memory'] ?? 0) : 0;
  const wanted = {
    cpuShares: qosClassOf(pod) === 'BestEffort' ? cpuSharesOf(0) : cpuSharesOf(cpu),
    ...(quota === 0 ? {} : { cpuQuotaUs: quota }),
    ...(memory === 0 ? {} : { memoryBytes: Math.floor(memory) }),
  };
  const create = (): Promise<void> => cgroups.create(podCgroup(pod, config.cgroupRoot), wanted);
  await (metrics === undefined ? create() : metrics.changingCgroup('create', create));
}
