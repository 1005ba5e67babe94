import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#kinds/generated/types/core_v1.ts';
import type { StorageClass } from '#kinds/generated/types/storage_v1.ts';
import { type DescribeOptions, describeEvents, related } from '../related.ts';
import { longTime, pairs, type Sheet } from '../sheet.ts';
import { describeSource } from '../volumes.ts';

const accessModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const modesText = (modes: readonly string[] | undefined): string =>
  [...new Set((modes ?? []).map((mode) => accessModes[mode] ?? mode))].join(',');

const classOf = (
  metadata: { readonly annotations?: Readonly<Record<string, string>> },
  storageClassName: string | undefined,
): string => metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? storageClassName ?? '';

export async function describeClaim(
  sheet: Sheet,
  claim: PersistentVolumeClaim,
  options: DescribeOptions,
): Promise<void> {
  const { metadata, spec, status } = claim;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  sheet.field('StorageClass', classOf(metadata, spec?.storageClassName));
  const isGoing = metadata.deletionTimestamp !== undefined;
  sheet.field(
    'Status',
    isGoing ? `Terminating (lasts ${longTime(metadata.deletionTimestamp)})` : (status?.phase ?? ''),
  );
  sheet.field('Volume', spec?.volumeName ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.field('Finalizers', `[${(metadata.finalizers ?? []).join(' ')}]`);
  const isBound = (spec?.volumeName ?? '') !== '';
  sheet.field('Capacity', isBound ? (status?.capacity?.['storage'] ?? '0') : '');
  sheet.field('Access Modes', isBound ? modesText(status?.accessModes) : '');
  if (spec?.volumeMode !== undefined) sheet.field('VolumeMode', spec.volumeMode);
  if (spec?.dataSource !== undefined) {
    sheet.line(0, 'DataSource:');
    sheet.optional('APIGroup', spec.dataSource.apiGroup, 1);
    sheet.field('Kind', spec.dataSource.kind, 1);
    sheet.field('Name', spec.dataSource.name, 1);
  }
  const pods = await related<Pod>(options, 'pods', { namespace: metadata.namespace });
  const users = pods.filter(({ spec: podSpec }) =>
    podSpec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === metadata.name),
  );
  sheet.list(
    'Used By',
    users.map((pod) => pod.metadata.name ?? ''),
  );
  if ((status?.conditions ?? []).length > 0) {
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage');
    sheet.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
    for (const { type, status: value, lastProbeTime, lastTransitionTime, reason = '', message = '' } of status!
      .conditions!) {
      const time = (text: string | undefined): string =>
        text === undefined ? 'Mon, 01 Jan 0001 00:00:00 +0000' : longTime(text);
      sheet.line(
        1,
        `${type} \t${value} \t${time(lastProbeTime)} \t${time(lastTransitionTime)} \t${reason} \t${message}`,
      );
    }
  }
  await describeEvents(sheet, options, { metadata });
}

export async function describeVolume(sheet: Sheet, volume: PersistentVolume, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status } = volume;
  sheet.field('Name', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.field('Finalizers', `[${(metadata.finalizers ?? []).join(' ')}]`);
  sheet.field('StorageClass', classOf(metadata, spec?.storageClassName));
  sheet.field('Status', status?.phase ?? '');
  const claim = spec?.claimRef;
  sheet.field('Claim', claim === undefined ? '' : `${claim.namespace}/${claim.name}`);
  sheet.field('Reclaim Policy', spec?.persistentVolumeReclaimPolicy ?? '');
  sheet.field('Access Modes', modesText(spec?.accessModes));
  if (spec?.volumeMode !== undefined) sheet.field('VolumeMode', spec.volumeMode);
  sheet.field('Capacity', spec?.capacity?.['storage'] ?? '0');
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  if (spec?.nodeAffinity === undefined) sheet.field('Node Affinity', '<none>');
  else {
    sheet.field('Node Affinity', '');
    sheet.line(1, `Required Terms:\t${terms.length === 0 ? '<none>' : ''}`);
    terms.forEach(({ matchExpressions = [] }, index) => {
      const [first = '<none>', ...rest] = matchExpressions.map(
        ({ key, operator, values = [] }) =>
          `${key} ${operator.toLowerCase()}${values.length === 0 ? '' : ` [${values.join(', ')}]`}`,
      );
      sheet.line(2, `Term ${index}:\t${first}`);
      for (const line of rest) sheet.line(2, `\t${line}`);
    });
  }
  sheet.field('Message', status?.message ?? '');
  sheet.line(0, 'Source:');
  if (spec !== undefined) describeSource(sheet, spec);
  await describeEvents(sheet, options, { metadata });
}

export async function describeStorageClass(
  sheet: Sheet,
  storageClass: StorageClass,
  options: DescribeOptions,
): Promise<void> {
  const { metadata } = storageClass;
  sheet.field('Name', metadata.name ?? '');
  const isDefault = metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
  sheet.field('IsDefaultClass', isDefault ? 'Yes' : 'No');
  const annotations = pairs(metadata.annotations, '=').join(',');
  sheet.field('Annotations', annotations === '' ? '<none>' : annotations);
  sheet.field('Provisioner', storageClass.provisioner);
  const parameters = pairs(storageClass.parameters, '=').join(',');
  sheet.field('Parameters', parameters === '' ? '<none>' : parameters);
  sheet.field(
    'AllowVolumeExpansion',
    storageClass.allowVolumeExpansion === undefined ? '<unset>' : storageClass.allowVolumeExpansion ? 'True' : 'False',
  );
  const mountOptions = storageClass.mountOptions ?? [];
  if (mountOptions.length === 0) sheet.field('MountOptions', '<none>');
  else {
    sheet.line(0, 'MountOptions:');
    for (const option of mountOptions) sheet.line(1, option);
  }
  if (storageClass.reclaimPolicy !== undefined) sheet.field('ReclaimPolicy', storageClass.reclaimPolicy);
  if (storageClass.volumeBindingMode !== undefined) sheet.field('VolumeBindingMode', storageClass.volumeBindingMode);
  await describeEvents(sheet, options, { metadata });
}
