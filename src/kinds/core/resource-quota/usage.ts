import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '#kinds/generated/types/core_v1.ts';
import type { DeviceRequest, ResourceClaim } from '#kinds/generated/types/resource_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { addQuantities, compareQuantities, type Quantity, quantity, quantityOf } from '#machinery/quantity.ts';
import { podMissing, podUsage } from './pod-usage.ts';
import { claimInScope, podInScope, type ScopeRequirement } from './scopes.ts';

/** Amounts by the name under which a quota limits them. */
export type Usage = ReadonlyMap<string, Quantity>;

/** How objects of one kind count: https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
export interface QuotaEvaluator {
  /** What one object takes, at a time in milliseconds: a pod that should be gone by then takes nothing. */
  readonly usage: (object: ApiObject, nowMs: number) => Usage;
  /** Whether a resource that a quota limits is counted on this kind. */
  readonly counts: (name: string) => boolean;
  /** Whether an update may change what an object takes. */
  readonly countsUpdates: boolean;
  /** Whether the object is in a scope; kinds without it are in none. */
  readonly inScope?: (requirement: ScopeRequirement, object: ApiObject) => boolean;
  /** What the object has to say so that these resources can be counted, and does not. */
  readonly missing?: (names: readonly string[], object: ApiObject) => string | undefined;
}

type Counted = Pick<Kind, 'group' | 'resource'>;

const one = quantityOf(1);

/** Core kinds that have a name of their own in quotas, besides `count/…`. */
const plainlyCounted = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);

function countName({ group, resource }: Counted): string {
  return `count/${group === '' ? resource : `${resource}.${group}`}`;
}

const evaluators = new WeakMap<Counted, QuotaEvaluator>();

/** The evaluator of a kind: every kind has one, which at least counts objects. */
export function evaluatorOf(kind: Counted): QuotaEvaluator {
  let evaluator = evaluators.get(kind);
  if (evaluator === undefined) {
    evaluator = special[`${kind.group}/${kind.resource}`] ?? countEvaluator(kind);
    evaluators.set(kind, evaluator);
  }
  return evaluator;
}

function countEvaluator(kind: Counted): QuotaEvaluator {
  const names = [countName(kind), ...(kind.group === '' && plainlyCounted.has(kind.resource) ? [kind.resource] : [])];
  const usage: Usage = new Map(names.map((name) => [name, one]));
  return { usage: () => usage, counts: (name) => names.includes(name), countsUpdates: false };
}

const storageClassSuffix = '.storageclass.storage.k8s.io/';
const deviceClassSuffix = '.deviceclass.resource.k8s.io/devices';
const podNames = new Set(
  ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
);

const special: Readonly<Record<string, QuotaEvaluator>> = {
  '/pods': {
    usage: (object, nowMs) => podUsage(object as Pod, nowMs),
    counts: (name) =>
      podNames.has(name) ||
      name === 'pods' ||
      name === 'count/pods' ||
      /^(requests\.)?hugepages-/.test(name) ||
      isExtendedRequest(name),
    countsUpdates: false,
    inScope: (requirement, object) => podInScope(requirement, object as Pod),
    missing: (names, object) => podMissing(names, object as Pod),
  },
  '/services': {
    usage: (object) => serviceUsage(object as Service),
    counts: (name) => ['services', 'services.nodeports', 'services.loadbalancers', 'count/services'].includes(name),
    countsUpdates: true,
  },
  '/persistentvolumeclaims': {
    usage: (object) => claimUsage(object as PersistentVolumeClaim),
    counts: (name) =>
      ['persistentvolumeclaims', 'requests.storage', 'count/persistentvolumeclaims'].includes(name) ||
      name.includes(storageClassSuffix),
    countsUpdates: true,
    inScope: (requirement, object) => claimInScope(requirement, object as PersistentVolumeClaim),
  },
  'resource.k8s.io/resourceclaims': {
    usage: (object) => resourceClaimUsage(object as ResourceClaim),
    counts: (name) => name === 'count/resourceclaims.resource.k8s.io' || name.endsWith(deviceClassSuffix),
    countsUpdates: false,
  },
};

/** `requests.nvidia.com/gpu`: extended resources are limited by their requests alone. */
function isExtendedRequest(name: string): boolean {
  const isNative = !name.includes('/') || name.includes('kubernetes.io/');
  const isDevices = name.startsWith('requests.deviceclass.resource.kubernetes.io/');
  return name.startsWith('requests.') && (!isNative || isDevices);
}

/** What one object takes from a quota. */
export function usageOf(kind: Counted, object: ApiObject, nowMs: number): Usage {
  return evaluatorOf(kind).usage(object, nowMs);
}

function serviceUsage({ spec }: Service): Usage {
  const usage = new Map<string, Quantity>([
    ['count/services', one],
    ['services', one],
  ]);
  const ports = spec?.ports ?? [];
  if (spec?.type === 'NodePort') usage.set('services.nodeports', quantityOf(ports.length));
  if (spec?.type !== 'LoadBalancer') return usage;
  usage.set('services.loadbalancers', one);
  const withPorts =
    spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort = 0 }) => nodePort !== 0) : ports;
  usage.set('services.nodeports', quantityOf(withPorts.length));
  return usage;
}

function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): Usage {
  const usage = new Map<string, Quantity>([
    ['count/persistentvolumeclaims', one],
    ['persistentvolumeclaims', one],
  ]);
  const className = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '';
  if (className !== '') usage.set(`${className}${storageClassSuffix}persistentvolumeclaims`, one);
  const requested = spec?.resources?.requests?.['storage'];
  if (requested === undefined) return usage;
  const allocated = quantity(status?.allocatedResources?.['storage']);
  const wanted = quantity(requested);
  const amount = compareQuantities(allocated, wanted) > 0 ? allocated : wanted;
  usage.set('requests.storage', amount);
  if (className !== '') usage.set(`${className}${storageClassSuffix}requests.storage`, amount);
  return usage;
}

/** Devices that one request for "all" of them may get at most (resource.k8s.io AllocationResultsMaxSize). */
const maxDevicesPerRequest = 32;

function resourceClaimUsage({ spec }: ResourceClaim): Usage {
  const usage = new Map<string, Quantity>([['count/resourceclaims.resource.k8s.io', one]]);
  for (const request of spec?.devices?.requests ?? []) {
    for (const [className, devices] of devicesByClass(request)) {
      const name = `${className}${deviceClassSuffix}`;
      usage.set(name, plus(usage.get(name), quantityOf(devices)));
    }
  }
  return usage;
}

/** Of alternatives, the worst case counts for each class. */
function devicesByClass({ exactly, firstAvailable = [] }: DeviceRequest): ReadonlyMap<string, number> {
  const devices = new Map<string, number>();
  for (const { deviceClassName = '', allocationMode, count } of exactly === undefined ? firstAvailable : [exactly]) {
    const wanted = allocationMode === 'All' ? maxDevicesPerRequest : (count ?? 1);
    devices.set(deviceClassName, Math.max(devices.get(deviceClassName) ?? 0, wanted));
  }
  return devices;
}

export function plus(left: Quantity | undefined, right: Quantity): Quantity {
  return left === undefined ? right : addQuantities(left, right);
}

/** What a quota is limited to, whichever way it says so. */
export function scopesOf({ spec }: ResourceQuota): readonly ScopeRequirement[] {
  if (spec?.scopes === undefined && spec?.scopeSelector === undefined) return [];
  const named = (spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...named, ...(spec.scopeSelector?.matchExpressions ?? [])];
}

/** Whether the quota's scopes take the object in. */
export function isInScope(quota: ResourceQuota, kind: Counted, object: ApiObject): boolean {
  const requirements = scopesOf(quota);
  if (requirements.length === 0) return true;
  const { inScope } = evaluatorOf(kind);
  return inScope !== undefined && requirements.every((requirement) => inScope(requirement, object));
}
