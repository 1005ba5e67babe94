import { isPodTerminal } from '#kinds/core/pod/state.ts';
import type {
  Container,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  ResourceQuota,
  Service,
} from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { addQuantities, compareQuantities, type Quantity, quantity, quantityOf } from '#machinery/quantity.ts';

/** Amounts by the name under which a quota limits them. */
export type Usage = ReadonlyMap<string, Quantity>;

/** Core kinds that have a name of their own in quotas, besides `count/…`. */
const plainlyCounted = new Set([
  'services',
  'configmaps',
  'secrets',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
]);

/** What one object takes from a quota. */
export function usageOf(kind: Kind, object: ApiObject): Usage {
  const usage = new Map<string, Quantity>();
  const one = quantityOf(1);
  usage.set(`count/${kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`}`, one);
  if (kind.group !== '') return usage;
  if (plainlyCounted.has(kind.resource)) usage.set(kind.resource, one);
  if (kind.resource === 'pods') addPod(usage, object as Pod);
  if (kind.resource === 'services') addService(usage, object as Service);
  if (kind.resource === 'persistentvolumeclaims') addClaim(usage, object as PersistentVolumeClaim);
  return usage;
}

/** A finished pod takes nothing but its place in the store. */
function addPod(usage: Map<string, Quantity>, pod: Pod): void {
  if (isPodTerminal(pod) || pod.spec === undefined) return;
  usage.set('pods', quantityOf(1));
  const requests = podTotal(pod.spec, (container) => container.resources?.requests);
  const limits = podTotal(pod.spec, (container) => container.resources?.limits);
  for (const [resource, amount] of requests) {
    usage.set(`requests.${resource}`, amount);
    if (resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage') usage.set(resource, amount);
    if (resource.startsWith('hugepages-')) usage.set(resource, amount);
  }
  for (const [resource, amount] of limits) usage.set(`limits.${resource}`, amount);
}

function podTotal(
  spec: PodSpec,
  of: (container: Container) => Readonly<Record<string, string>> | undefined,
): ReadonlyMap<string, Quantity> {
  const total = new Map<string, Quantity>();
  const sidecars = new Map<string, Quantity>();
  const add = (sums: Map<string, Quantity>, amounts: Readonly<Record<string, string>> | undefined) => {
    for (const [resource, text] of Object.entries(amounts ?? {})) {
      sums.set(resource, plus(sums.get(resource), quantity(text)));
    }
  };
  for (const container of spec.containers) add(total, of(container));
  const peaks: Map<string, Quantity>[] = [];
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      add(total, of(container));
      add(sidecars, of(container));
    } else {
      const during = new Map(sidecars);
      add(during, of(container));
      peaks.push(during);
    }
  }
  for (const peak of peaks) {
    for (const [resource, amount] of peak) {
      const current = total.get(resource);
      if (current === undefined || compareQuantities(current, amount) < 0) total.set(resource, amount);
    }
  }
  add(total, spec.overhead);
  return total;
}

function addService(usage: Map<string, Quantity>, { spec }: Service): void {
  const ports = spec?.ports?.length ?? 0;
  if (spec?.type === 'NodePort') usage.set('services.nodeports', quantityOf(ports));
  if (spec?.type !== 'LoadBalancer') return;
  usage.set('services.loadbalancers', quantityOf(1));
  if (spec.allocateLoadBalancerNodePorts !== false) usage.set('services.nodeports', quantityOf(ports));
}

function addClaim(usage: Map<string, Quantity>, { spec }: PersistentVolumeClaim): void {
  const storage = spec?.resources?.requests?.['storage'];
  if (storage !== undefined) usage.set('requests.storage', quantity(storage));
  const className = spec?.storageClassName ?? '';
  if (className === '') return;
  usage.set(`${className}.storageclass.storage.k8s.io/persistentvolumeclaims`, quantityOf(1));
  if (storage !== undefined) {
    usage.set(`${className}.storageclass.storage.k8s.io/requests.storage`, quantity(storage));
  }
}

export function plus(left: Quantity | undefined, right: Quantity): Quantity {
  return left === undefined ? right : addQuantities(left, right);
}

/** Whether the quota's scopes take the object in; only pods can be told apart by them. */
export function isInScope({ spec }: ResourceQuota, kind: Kind, object: ApiObject): boolean {
  const named = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as string[] }));
  const requirements = [...named, ...(spec?.scopeSelector?.matchExpressions ?? [])];
  if (requirements.length === 0) return true;
  if (kind.group !== '' || kind.resource !== 'pods') return false;
  const pod = object as Pod;
  return requirements.every(({ scopeName, operator, values = [] }) => {
    switch (scopeName) {
      case 'Terminating':
        return (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
      case 'NotTerminating':
        return pod.spec?.activeDeadlineSeconds === undefined;
      case 'BestEffort':
        return pod.status?.qosClass === 'BestEffort';
      case 'NotBestEffort':
        return pod.status?.qosClass !== 'BestEffort';
      case 'PriorityClass':
        return valueMatches(pod.spec?.priorityClassName, operator, values);
      default:
        return false;
    }
  });
}

function valueMatches(value: string | undefined, operator: string, values: readonly string[]): boolean {
  const isSet = value !== undefined && value !== '';
  switch (operator) {
    case 'Exists':
      return isSet;
    case 'DoesNotExist':
      return !isSet;
    case 'In':
      return isSet && values.includes(value);
    default:
      return !isSet || !values.includes(value);
  }
}
