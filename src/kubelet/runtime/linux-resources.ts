import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { LinuxContainerResources } from '../cri/cri.ts';
import { type Amounts, milliCpu, qosClassOf } from '../pods/resources.ts';

const minShares = 2;
const maxShares = 262_144;
const sharesPerCpu = 1024;
const cpuPeriodMicroseconds = 100_000;
const minQuotaMicroseconds = 1000;

/** CPU shares for a request: 1024 for a whole CPU. */
export function cpuSharesOf(milliCpu: number): number {
  if (milliCpu === 0) return minShares;
  return Math.min(maxShares, Math.max(minShares, Math.floor((milliCpu * sharesPerCpu) / 1000)));
}

/** CPU time in each period of 100 ms under a limit, in microseconds; 0 when there is none. */
export function cpuQuotaOf(milliCpu: number): number {
  if (milliCpu === 0) return 0;
  return Math.max(minQuotaMicroseconds, Math.floor((milliCpu * cpuPeriodMicroseconds) / 1000));
}

/** Requests and limits in the kernel's terms. */
export function linuxResources(requests: Amounts, limits: Amounts): LinuxContainerResources {
  // Without a request the limit stands for it, so that limited pods are not starved.
  const cpuRequest = requests['cpu'] ?? limits['cpu'];
  const quota = cpuQuotaOf(milliCpu(limits['cpu']));
  const memory = limits['memory'] ?? 0;
  return {
    cpuShares: cpuSharesOf(milliCpu(cpuRequest)),
    ...(quota === 0 ? {} : { cpuQuota: quota, cpuPeriod: cpuPeriodMicroseconds }),
    ...(memory === 0 ? {} : { memoryLimitInBytes: Math.floor(memory) }),
  };
}

const criticalPriority = 2_000_000_000;

/**
 * How readily the kernel kills a container when memory runs out: guaranteed and critical pods last, best-effort ones
 * first, the others by how little of the node's memory they asked for.
 */
export function oomScoreAdjustment(pod: Pod, memoryRequest: number, nodeMemoryBytes: number): number {
  const guaranteed = -997;
  const bestEffort = 1000;
  if ((pod.spec.priority ?? 0) >= criticalPriority) return guaranteed;
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return guaranteed;
  if (qos === 'BestEffort') return bestEffort;
  const adjustment = 1000 - Math.floor((1000 * memoryRequest) / Math.max(1, nodeMemoryBytes));
  return Math.min(bestEffort - 1, Math.max(1000 + guaranteed, adjustment));
}
