import type { PodSpec, ResourceRequirements } from '#kinds/generated/types/core_v1.ts';
import { quantity } from '#machinery/quantity.ts';

const computeResources = ['cpu', 'memory'] as const;

/** The quality-of-service class that follows from requests and limits of CPU and memory. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all: readonly (ResourceRequirements | undefined)[] =
    spec.resources === undefined
      ? [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.resources)
      : [spec.resources];
  const requests = total(all.map((resources) => resources?.requests));
  const limits = total(all.map((resources) => resources?.limits));
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const isLimited = all.every((resources) => computeResources.every((name) => amount(resources?.limits, name) > 0n));
  const isEqual = computeResources.every((name) => requests.get(name) === limits.get(name));
  return isLimited && isEqual ? 'Guaranteed' : 'Burstable';
}

function amount(resources: Readonly<Record<string, string>> | undefined, name: string): bigint {
  return quantity(resources?.[name]).nanos;
}

function total(lists: readonly (Readonly<Record<string, string>> | undefined)[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const list of lists) {
    for (const name of computeResources) {
      const nanos = amount(list, name);
      if (nanos > 0n) sums.set(name, (sums.get(name) ?? 0n) + nanos);
    }
  }
  return sums;
}
