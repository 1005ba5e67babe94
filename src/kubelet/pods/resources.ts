import type { Container, Pod, ResourceRequirements } from '#kinds/generated/types/core_v1.ts';
import { quantity } from '#machinery/quantity.ts';
import { initContainersOf, isSidecar } from './containers.ts';

export type Amounts = Readonly<Record<string, number>>;
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Amounts in whole units (CPUs with a fraction, bytes). */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Record<string, number> = {};
  for (const [name, text] of Object.entries(list ?? {})) amounts[name] = Number(quantity(text).nanos) / 1e9;
  return amounts;
}

function add(left: Amounts, right: Amounts): Amounts {
  const sum: Record<string, number> = { ...left };
  for (const [name, amount] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + amount;
  return sum;
}

function largest(left: Amounts, right: Amounts): Amounts {
  const most: Record<string, number> = { ...left };
  for (const [name, amount] of Object.entries(right)) most[name] = Math.max(most[name] ?? 0, amount);
  return most;
}

/**
 * What the pod as a whole asks for: its app containers and sidecars together, or its largest init container with the
 * sidecars started before it, whichever is more; then pod-level resources (KEP-2837) and the overhead.
 */
export function podAmounts(pod: Pod, which: 'requests' | 'limits'): Amounts {
  const of = (container: Container) => amountsOf(container.resources?.[which]);
  let running: Amounts = {};
  for (const container of pod.spec.containers) running = add(running, of(container));
  let sidecars: Amounts = {};
  let starting: Amounts = {};
  for (const container of initContainersOf(pod)) {
    if (isSidecar(container)) {
      sidecars = add(sidecars, of(container));
      starting = largest(starting, sidecars);
    } else starting = largest(starting, add(sidecars, of(container)));
  }
  const whole = { ...largest(add(running, sidecars), starting), ...amountsOf(pod.spec.resources?.[which]) };
  const overhead = amountsOf(pod.spec.overhead);
  if (which === 'requests') return add(whole, overhead);
  const limited: Record<string, number> = { ...whole };
  for (const [name, amount] of Object.entries(overhead)) if (name in limited) limited[name] = limited[name]! + amount;
  return limited;
}

/** The quality-of-service class by the documented rules over CPU and memory of all containers. */
export function qosClassOf(pod: Pod): QosClass {
  if (pod.status?.qosClass !== undefined) return pod.status.qosClass as QosClass;
  const all: readonly (ResourceRequirements | undefined)[] =
    pod.spec.resources === undefined
      ? [...pod.spec.containers, ...initContainersOf(pod)].map(({ resources }) => resources)
      : [pod.spec.resources];
  let asksAnything = false;
  let isGuaranteed = true;
  for (const resources of all) {
    const requests = amountsOf(resources?.requests);
    const limits = amountsOf(resources?.limits);
    for (const name of ['cpu', 'memory']) {
      if ((requests[name] ?? 0) > 0 || (limits[name] ?? 0) > 0) asksAnything = true;
      if (limits[name] === undefined || limits[name] === 0 || (requests[name] ?? limits[name]) !== limits[name])
        isGuaranteed = false;
    }
  }
  if (!asksAnything) return 'BestEffort';
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** CPU of a quantity in thousandths, rounded up as the scheduler does. */
export function milliCpu(amount: number | undefined): number {
  return amount === undefined ? 0 : Math.ceil(Math.round(amount * 1e6) / 1e3);
}

/** The cgroup of a pod under the kubelet's root: Guaranteed pods directly, the others under their class. */
export function podCgroup(pod: Pod, root: string): string {
  const qos = qosClassOf(pod);
  return `${qos === 'Guaranteed' ? root : `${root}/${qos.toLowerCase()}`}/pod${pod.metadata.uid}`;
}
