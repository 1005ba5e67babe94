import type { Client } from '#client/client.ts';
import { type Controller, defineController, done } from '#client/controller.ts';
import { keyOf } from '#client/object-key.ts';
import { isPodTerminal } from '#kinds/core/pod/state.ts';
import {
  PersistentVolumeClaim as PersistentVolumeClaimKind,
  PersistentVolume as PersistentVolumeKind,
  PodGroup as PodGroupKind,
  Pod as PodKind,
  VolumeAttributesClass as VolumeAttributesClassKind,
} from '#kinds/generated/handles.ts';
import type { PersistentVolumeClaim, Pod } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';
const classFinalizer = 'kubernetes.io/vac-protection';
const groupFinalizer = 'scheduling.k8s.io/podgroup-protection';

/** Lets claims go when no pod that may run uses them any more. */
export const claimProtection: Controller = defineController({
  name: 'pvc-protection-controller',
  queue: 'pvcprotection',
  setup(context) {
    const claims = context.watch(PersistentVolumeClaimKind, (claim) =>
      isHeld(claim, claimFinalizer) ? [keyOf(claim)] : [],
    );
    const pods = context.watch(PodKind, (pod, event) =>
      event.type === 'deleted' || isPodTerminal(pod) ? claimsOf(pod) : [],
    );
    const byClaim = pods.index('claim', (pod) => (mayRun(pod) ? claimsOf(pod) : []));
    return async (key, { client, signal }) => {
      const claim = claims.getByKey(key);
      if (claim === undefined || !isHeld(claim, claimFinalizer) || byClaim.get(key).length > 0) return done;
      await letGo(client, PersistentVolumeClaimKind, claim, { finalizer: claimFinalizer, signal });
      return done;
    };
  },
});

/** Lets volumes go when no claim is bound to them. */
export const volumeProtection: Controller = defineController({
  name: 'pv-protection-controller',
  queue: 'pvprotection',
  setup(context) {
    const volumes = context.watch(PersistentVolumeKind, (volume) =>
      isHeld(volume, volumeFinalizer) ? [keyOf(volume)] : [],
    );
    return async (key, { client, signal }) => {
      const volume = volumes.getByKey(key);
      if (volume === undefined || !isHeld(volume, volumeFinalizer) || volume.status?.phase === 'Bound') return done;
      await letGo(client, PersistentVolumeKind, volume, { finalizer: volumeFinalizer, signal });
      return done;
    };
  },
});

/** Lets attribute classes go when neither claims nor volumes name them. */
export const attributesClassProtection: Controller = defineController({
  name: 'volumeattributesclass-protection-controller',
  queue: 'vacprotection',
  setup(context) {
    const classes = context.watch(VolumeAttributesClassKind, (found) =>
      isHeld(found, classFinalizer) ? [keyOf(found)] : [],
    );
    const claims = context.watch(PersistentVolumeClaimKind, classesOfClaim);
    const volumes = context.watch(PersistentVolumeKind, ({ spec }) => named([spec?.volumeAttributesClassName]));
    const byClaims = claims.index('class', classesOfClaim);
    const byVolumes = volumes.index('class', ({ spec }) => named([spec?.volumeAttributesClassName]));
    return async (key, { client, signal }) => {
      const found = classes.getByKey(key);
      if (found === undefined || !isHeld(found, classFinalizer)) return done;
      if (byClaims.get(key).length + byVolumes.get(key).length > 0) return done;
      await letGo(client, VolumeAttributesClassKind, found, { finalizer: classFinalizer, signal });
      return done;
    };
  },
});

/** Lets pod groups go when no pod that may run belongs to them any more (KEP-4671). */
export const podGroupProtection: Controller = defineController({
  name: 'podgroup-protection-controller',
  queue: 'podgroupprotection',
  setup(context) {
    const groups = context.watch(PodGroupKind, (group) => (isHeld(group, groupFinalizer) ? [keyOf(group)] : []));
    const pods = context.watch(PodKind, (pod, event) =>
      event.type === 'deleted' || isPodTerminal(pod) ? groupsOf(pod) : [],
    );
    const byGroup = pods.index('group', (pod) => (isPodTerminal(pod) ? [] : groupsOf(pod)));
    return async (key, { client, signal }) => {
      const group = groups.getByKey(key);
      if (group === undefined || !isHeld(group, groupFinalizer) || byGroup.get(key).length > 0) return done;
      await letGo(client, PodGroupKind, group, { finalizer: groupFinalizer, signal });
      return done;
    };
  },
});

function groupsOf({ metadata, spec }: Pod): readonly string[] {
  const name = spec.schedulingGroup?.podGroupName;
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}

/** Its deletion waits for this finalizer. */
function isHeld({ metadata }: ApiObject, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(finalizer) === true;
}

/** The kubelet starts no pod whose claim is being deleted: only those that have a node can use it. */
function mayRun(pod: Pod): boolean {
  return (pod.spec.nodeName ?? '') !== '' && !isPodTerminal(pod);
}

/** Keys of the claims that a pod's volumes name, those made for the pod included. */
function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim =
      persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${metadata.name}-${name}`);
    return claim === undefined ? [] : [`${metadata.namespace}/${claim}`];
  });
}

function classesOfClaim({ spec, status }: PersistentVolumeClaim): readonly string[] {
  return named([
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]);
}

function named(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.filter((name): name is string => name !== undefined && name !== ''))];
}

async function letGo<T extends ApiObject>(
  client: Client,
  kind: Kind<T>,
  object: T,
  { finalizer, signal }: { readonly finalizer: string; readonly signal: AbortSignal },
): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((own) => own !== finalizer);
  await client.update(kind, { ...object, metadata: { ...object.metadata, finalizers } }, { signal });
}
