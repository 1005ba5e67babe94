import { age, name } from '#kinds/cells.ts';
import type * as storage from '#kinds/generated/types/storage_v1.ts';
import type { Cell } from '#kinds/kind.ts';

export function csiDriverCells(driver: storage.CSIDriver, now: number): readonly Cell[] {
  const { spec } = driver;
  return [
    name(driver),
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    spec.tokenRequests === undefined ? '<unset>' : spec.tokenRequests.map(({ audience }) => audience).join(','),
    spec.requiresRepublish ?? false,
    (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    age(driver, now),
  ];
}

export function csiNodeCells(node: storage.CSINode, now: number): readonly Cell[] {
  return [name(node), (node.spec.drivers ?? []).length, age(node, now)];
}

const defaultMarks = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export function storageClassCells(storageClass: storage.StorageClass, now: number): readonly Cell[] {
  const isDefault = defaultMarks.some((mark) => storageClass.metadata.annotations?.[mark] === 'true');
  return [
    isDefault ? `${name(storageClass)} (default)` : name(storageClass),
    storageClass.provisioner,
    storageClass.reclaimPolicy ?? 'Delete',
    storageClass.volumeBindingMode ?? 'Immediate',
    storageClass.allowVolumeExpansion ?? false,
    age(storageClass, now),
  ];
}

export function volumeAttachmentCells(attachment: storage.VolumeAttachment, now: number): readonly Cell[] {
  const { attacher, source, nodeName } = attachment.spec;
  const isAttached = attachment.status?.attached ?? false;
  return [name(attachment), attacher, source.persistentVolumeName ?? '', nodeName, isAttached, age(attachment, now)];
}

export function volumeAttributesClassCells(attributes: storage.VolumeAttributesClass, now: number): readonly Cell[] {
  return [name(attributes), attributes.driverName, age(attributes, now)];
}
