/** Limits of a cgroup in the kernel's own terms; what is absent is left as it is. */
export interface CgroupLimits {
  /** 2 to 262144; cgroup v2 gets the equivalent weight. */
  readonly cpuShares?: number;
  /** Microseconds of CPU time in each period; -1 for no limit. */
  readonly cpuQuotaMicroseconds?: number;
  readonly cpuPeriodMicroseconds?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
}

const minShares = 2;
const maxShares = 262_144;
const sharesPerCpu = 1024;
/** The period of the CPU quota that the kubelet uses. */
export const cpuPeriodMicroseconds = 100_000;
const minQuotaMicroseconds = 1000;

/** CPU shares for a request: 1024 for a whole CPU. */
export function cpuSharesOf(milliCpu: number): number {
  if (milliCpu === 0) return minShares;
  return Math.min(maxShares, Math.max(minShares, Math.floor((milliCpu * sharesPerCpu) / 1000)));
}

/** CPU time for each period under a limit; 0 when there is none. */
export function cpuQuotaOf(milliCpu: number): number {
  if (milliCpu === 0) return 0;
  return Math.max(minQuotaMicroseconds, Math.floor((milliCpu * cpuPeriodMicroseconds) / 1000));
}

/** The cgroup v2 weight (1 to 10000) for v1 shares, by the formula of the Kubernetes cgroup v2 KEP (2254). */
export function cpuWeightOf(shares: number): number {
  return Math.floor(((shares - minShares) * 9999) / (maxShares - minShares)) + 1;
}
