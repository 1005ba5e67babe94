import type { AllocatedDeviceStatus, ResourceClaim } from '#kinds/generated/types/resource_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceHook } from '../registry/registry.ts';
import { type AccessAttributes, refusal, requireAllowed, resourceAttributes } from './authorizer.ts';

const nodeNameExtra = 'authentication.kubernetes.io/node-name';

/**
 * Parts of a claim's status belong to different writers: who binds a claim may allocate and reserve it, and a driver
 * may tell of its own devices, where it is tied to a node of devices on that node (DRAResourceClaimGranularStatusAuthorization).
 */
export const claimStatusHook: ResourceHook = {
  async admit(registry, operation, object, old) {
    const { subresource, user, verb, namespace, name, resource } = operation;
    if (subresource !== 'status' || old === undefined) return;
    if (!registry.featureEnabled('DRAResourceClaimGranularStatusAuthorization')) return;
    const before = (old as ResourceClaim).status ?? {};
    const after = (object as unknown as ResourceClaim).status ?? {};
    const { group, version } = resource.kind;
    const ask = (part: Pick<AccessAttributes, 'verb' | 'subresource' | 'name'>): AccessAttributes =>
      resourceAttributes({ user, group, version, resource: 'resourceclaims', namespace, ...part });
    const binds =
      !equalValues(before.allocation, after.allocation) ||
      !equalValues(before.reservedFor ?? [], after.reservedFor ?? []);
    if (binds) await requireAllowed(registry.authorizer, ask({ verb, subresource: 'binding', name }));
    const onOwnNode =
      isOnNode(after as ResourceClaim['status'], user) || isOnNode(before as ResourceClaim['status'], user);
    for (const driver of changedDrivers(before.devices ?? [], after.devices ?? [])) {
      const anywhere = ask({ verb: `arbitrary-node:${verb}`, subresource: 'driver', name: driver });
      const here = ask({ verb: `associated-node:${verb}`, subresource: 'driver', name: driver });
      if (onOwnNode && (await registry.authorizer.authorize(here)).outcome === 'allow') continue;
      const decision = await registry.authorizer.authorize(anywhere);
      if (decision.outcome !== 'allow') throw refusal(onOwnNode ? here : anywhere, decision);
    }
  },
};

function changedDrivers(
  before: readonly AllocatedDeviceStatus[],
  after: readonly AllocatedDeviceStatus[],
): readonly string[] {
  const drivers = new Set([...before, ...after].map(({ driver }) => driver));
  const of = (devices: readonly AllocatedDeviceStatus[], wanted: string) =>
    devices.filter(({ driver }) => driver === wanted);
  return [...drivers].filter((driver) => !equalValues(of(before, driver), of(after, driver)));
}

/** Whether a claim's devices are on the node that the user's token was made for. */
function isOnNode(status: ResourceClaim['status'], { extra, name }: UserInfo): boolean {
  const node = name.startsWith('system:serviceaccount:') ? extra?.[nodeNameExtra]?.[0] : undefined;
  if (node === undefined) return false;
  const terms = status?.allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  return terms.some(({ matchFields = [] }) =>
    matchFields.some(({ key, values = [] }) => key === 'metadata.name' && values.length === 1 && values[0] === node),
  );
}
