import type { Container, PersistentVolume, Pod, Volume } from '#kinds/generated/types/core_v1.ts';

/** The kinds of objects that a node may read because a pod on it needs them. */
export type ReferencedKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'resourceclaims' | 'serviceaccounts';

const known = new WeakMap<Pod, ReadonlySet<string>>();

/** Whether a pod names an object of its namespace. A mirror pod names nothing: its node made it up. */
export function podRefersTo(pod: Pod, kind: ReferencedKind, name: string): boolean {
  let references = known.get(pod);
  if (references === undefined) {
    references = new Set(isMirrorPod(pod) ? [] : referencesOf(pod));
    known.set(pod, references);
  }
  return references.has(`${kind}/${name}`);
}

export function isMirrorPod({ metadata }: Pod): boolean {
  return metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

/** Everything that a pod names in its namespace, as `kind/name`. */
export function* referencesOf(pod: Pod): Generator<string> {
  const { spec, status, metadata } = pod;
  if (spec.serviceAccountName !== undefined) yield `serviceaccounts/${spec.serviceAccountName}`;
  for (const { name } of spec.imagePullSecrets ?? []) yield `secrets/${name}`;
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  for (const container of containers) yield* containerReferences(container as Container);
  for (const volume of spec.volumes ?? []) yield* volumeReferences(volume, metadata.name ?? '');
  for (const claim of spec.resourceClaims ?? [])
    if (claim.resourceClaimName !== undefined) yield `resourceclaims/${claim.resourceClaimName}`;
  for (const { resourceClaimName } of status?.resourceClaimStatuses ?? [])
    if (resourceClaimName !== undefined) yield `resourceclaims/${resourceClaimName}`;
  const extended = status?.extendedResourceClaimStatus?.resourceClaimName;
  if (extended !== undefined) yield `resourceclaims/${extended}`;
}

function* containerReferences({ env = [], envFrom = [] }: Container): Generator<string> {
  for (const { secretRef, configMapRef } of envFrom) {
    if (secretRef?.name !== undefined) yield `secrets/${secretRef.name}`;
    if (configMapRef?.name !== undefined) yield `configmaps/${configMapRef.name}`;
  }
  for (const { valueFrom } of env) {
    if (valueFrom?.secretKeyRef?.name !== undefined) yield `secrets/${valueFrom.secretKeyRef.name}`;
    if (valueFrom?.configMapKeyRef?.name !== undefined) yield `configmaps/${valueFrom.configMapKeyRef.name}`;
  }
}

function* volumeReferences(volume: Volume, podName: string): Generator<string> {
  if (volume.secret?.secretName !== undefined) yield `secrets/${volume.secret.secretName}`;
  if (volume.configMap?.name !== undefined) yield `configmaps/${volume.configMap.name}`;
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    if (secret?.name !== undefined) yield `secrets/${secret.name}`;
    if (configMap?.name !== undefined) yield `configmaps/${configMap.name}`;
  }
  const { persistentVolumeClaim, ephemeral, azureFile, csi } = volume;
  if (persistentVolumeClaim !== undefined) yield `persistentvolumeclaims/${persistentVolumeClaim.claimName}`;
  if (ephemeral !== undefined) yield `persistentvolumeclaims/${podName}-${volume.name}`;
  if (azureFile?.secretName !== undefined) yield `secrets/${azureFile.secretName}`;
  if (csi?.nodePublishSecretRef?.name !== undefined) yield `secrets/${csi.nodePublishSecretRef.name}`;
  for (const source of [volume.flexVolume, volume.rbd, volume.iscsi, volume.cephfs, volume.scaleIO, volume.storageos])
    if (source?.secretRef?.name !== undefined) yield `secrets/${source.secretRef.name}`;
}

/** Secrets that mounting a volume needs, as `namespace/name`; most of them live where the claim does. */
export function* volumeSecrets({ spec }: PersistentVolume): Generator<string> {
  if (spec === undefined) return;
  const claimNamespace = spec.claimRef?.namespace ?? '';
  const { azureFile, csi } = spec;
  if (azureFile !== undefined) yield `${azureFile.secretNamespace ?? claimNamespace}/${azureFile.secretName}`;
  for (const source of [spec.flexVolume, spec.rbd, spec.iscsi, spec.cephfs, spec.scaleIO, spec.storageos]) {
    const ref = source?.secretRef as { readonly name?: string; readonly namespace?: string } | undefined;
    if (ref?.name !== undefined) yield `${ref.namespace ?? claimNamespace}/${ref.name}`;
  }
  if (csi === undefined) return;
  const { nodePublishSecretRef, nodeStageSecretRef, nodeExpandSecretRef, controllerPublishSecretRef } = csi;
  for (const ref of [nodePublishSecretRef, nodeStageSecretRef, nodeExpandSecretRef, controllerPublishSecretRef])
    if (ref?.name !== undefined) yield `${ref.namespace ?? claimNamespace}/${ref.name}`;
}
