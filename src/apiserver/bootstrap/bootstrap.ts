import { passed } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { Client, WriteOptions } from '#client/client.ts';
import * as handles from '#kinds/generated/handles.ts';
import type { ServiceCIDR } from '#kinds/generated/types/networking_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { producer } from '../fairness/tidy.ts';
import { formatIpv4, parseIpRange } from '../services/ip-range.ts';
import { gatedObjects } from './gated.ts';
import objects from './objects.json' with { type: 'json' };
import { repair } from './repair.ts';

/** Namespaces come first: roles live in them. */
const sections: readonly (readonly [keyof typeof objects, Kind])[] = [
  ['namespaces', handles.Namespace],
  ['priorityclasses', handles.PriorityClass],
  ['clusterroles', handles.ClusterRole],
  ['clusterrolebindings', handles.ClusterRoleBinding],
  ['roles', handles.Role],
  ['rolebindings', handles.RoleBinding],
  ['prioritylevelconfigurations', handles.PriorityLevelConfiguration],
  ['flowschemas', handles.FlowSchema],
];

const flowControl = handles.FlowSchema.group;

/** Roles and bindings are not only there: they grant what they have to. */
const repaired = new Set<string>(['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings']);

/** An object as it is; asked of the caches, so that a warm start writes and waits for nothing. */
export type Find = (kind: Kind, object: ApiObject) => ApiObject | undefined;

/** How often what a cluster cannot be without is looked for (upstream's interval for the `kubernetes` service). */
const standingIntervalMs = 10_000;

export interface BootstrapOptions {
  readonly serviceCidr: string;
  readonly find: Find;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  readonly featureEnabled?: (gate: string) => boolean;
}

/** Makes what every cluster holds from its first second, and puts back what was deleted. */
export async function ensureBootstrapObjects(client: Client, options: BootstrapOptions): Promise<void> {
  for (const [section, kind] of sections) {
    const wanted = objects[section] as unknown as readonly ApiObject[];
    await Promise.all(
      wanted.map((object) => {
        const current = options.find(kind, object);
        if (current === undefined) return ensure(client, kind, object, kind.group === flowControl ? producer : {});
        return repaired.has(section) ? repair(client, kind, current, object) : undefined;
      }),
    );
  }
  for (const [kind, object] of gatedObjects(options.featureEnabled ?? (() => false))) {
    const current = options.find(kind, object);
    await (current === undefined ? ensure(client, kind, object) : repair(client, kind, current, object));
  }
  await ensureStanding(client, options);
}

/** Puts back, until the signal aborts, what a running cluster cannot be without: a user deletes all services, say. */
export async function keepStanding(
  client: Client,
  { clock, log }: Environment,
  { signal, ...options }: BootstrapOptions & { readonly signal: AbortSignal },
): Promise<void> {
  while (await passed(clock, standingIntervalMs, signal))
    await ensureStanding(client, options).catch((error: unknown) => {
      if (!signal.aborted) log.warn('cannot put back what every cluster has', { message: String(error) });
    });
}

async function ensureStanding(client: Client, { serviceCidr, find, now }: BootstrapOptions): Promise<void> {
  const { first, cidr } = parseIpRange(serviceCidr);
  const service = {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: formatIpv4(first + 1),
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      sessionAffinity: 'None',
      ipFamilyPolicy: 'SingleStack',
    },
  };
  const standing: readonly (readonly [Kind, ApiObject])[] = [
    ...objects.namespaces.map((namespace) => [handles.Namespace, namespace as unknown as ApiObject] as const),
    [handles.ServiceCIDR, { metadata: { name: 'kubernetes' }, spec: { cidrs: [cidr] } } as ApiObject],
    [handles.Service, service as ApiObject],
  ];
  for (const [kind, object] of standing) if (find(kind, object) === undefined) await ensure(client, kind, object);
  const range = { metadata: { name: 'kubernetes' } };
  const { status } = (find(handles.ServiceCIDR, range) ?? {}) as ServiceCIDR;
  if (!status?.conditions?.some(({ type }) => type === 'Ready')) await declareReady(client, now());
}

/** The range that the server was started with is ready, unless somebody says otherwise. */
async function declareReady(client: Client, now: number): Promise<void> {
  const condition = {
    type: 'Ready',
    status: 'True',
    message: 'Kubernetes default Service CIDR is ready',
    lastTransitionTime: formatTime(now),
  };
  const body = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    status: { conditions: [condition] },
  };
  const options = { fieldManager: 'kubernetes-service-cidr-controller', subresource: 'status' };
  await client.patch(handles.ServiceCIDR, { name: 'kubernetes' }, { type: 'apply', body, force: true }, options);
}

async function ensure(client: Client, kind: Kind, object: ApiObject, options: WriteOptions = {}): Promise<void> {
  try {
    await client.create(kind, object, options);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
}
