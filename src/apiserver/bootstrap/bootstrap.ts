import type { Client, WriteOptions } from '#client/client.ts';
import * as handles from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { producer } from '../fairness/tidy.ts';
import { formatIpv4, parseIpRange } from '../services/ip-range.ts';
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

/** Makes what every cluster holds from its first second, and puts back what was deleted. */
export async function ensureBootstrapObjects(
  client: Client,
  options: { readonly serviceCidr: string; readonly find: Find },
): Promise<void> {
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
  const { first, cidr } = parseIpRange(options.serviceCidr);
  const serviceCidr = { metadata: { name: 'kubernetes' }, spec: { cidrs: [cidr] } };
  const service = {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: formatIpv4(first + 1),
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      sessionAffinity: 'None',
    },
  };
  for (const [kind, object] of [
    [handles.ServiceCIDR, serviceCidr],
    [handles.Service, service],
  ] as const) {
    if (options.find(kind as Kind, object) === undefined) await ensure(client, kind as Kind, object);
  }
}

async function ensure(client: Client, kind: Kind, object: ApiObject, options: WriteOptions = {}): Promise<void> {
  try {
    await client.create(kind, object, options);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
}
