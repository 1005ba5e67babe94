import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import type { PersistentVolumeClaim, Pod, ReplicationController } from '#kinds/generated/types/core_v1.ts';
import { formatLabelSelector } from '#machinery/labels.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import { describePodTemplate } from '../pod-template.ts';
import { type DescribeOptions, describeEvents, related } from '../related.ts';
import { controlledBy, controllerOf, labelSelectorText, longTime, type Sheet, selectorText } from '../sheet.ts';

const revisionAnnotation = 'deployment.kubernetes.io/revision';

export async function describeDeployment(
  sheet: Sheet,
  deployment: Deployment,
  options: DescribeOptions,
): Promise<void> {
  const { metadata, spec, status = {} } = deployment;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  sheet.field('CreationTimestamp', longTime(metadata.creationTimestamp ?? ''));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.field('Selector', labelSelectorText(spec?.selector));
  const counts = [
    `${spec?.replicas ?? 0} desired`,
    `${status.updatedReplicas ?? 0} updated`,
    `${status.replicas ?? 0} total`,
    `${status.availableReplicas ?? 0} available`,
    `${status.unavailableReplicas ?? 0} unavailable`,
  ];
  sheet.field('Replicas', counts.join(' | '));
  sheet.field('StrategyType', spec?.strategy?.type ?? '');
  sheet.field('MinReadySeconds', spec?.minReadySeconds ?? 0);
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling !== undefined) {
    sheet.field('RollingUpdateStrategy', `${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge`);
  }
  describePodTemplate(sheet, spec?.template);
  describeConditions(sheet, status.conditions);
  await describeReplicaSets(sheet, deployment, options);
  await describeEvents(sheet, options, { metadata });
}

async function describeReplicaSets(
  sheet: Sheet,
  { metadata, spec }: Deployment,
  options: DescribeOptions,
): Promise<void> {
  const all = await related<ReplicaSet>(options, 'replicasets.apps', {
    namespace: metadata.namespace,
    labelSelector: formatLabelSelector(spec?.selector),
  });
  const owned = all
    .filter((set) => controllerOf(set.metadata)?.uid === metadata.uid)
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1));
  const revision = metadata.annotations?.[revisionAnnotation];
  const current = owned.find((set) => set.metadata.annotations?.[revisionAnnotation] === revision);
  const text = (sets: readonly ReplicaSet[]): string =>
    sets.length === 0
      ? '<none>'
      : sets
          .map(
            (set) => `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec?.replicas ?? 0} replicas created)`,
          )
          .join(', ');
  sheet.field('OldReplicaSets', text(owned.filter((set) => set !== current)));
  sheet.field('NewReplicaSet', text(current === undefined ? [] : [current]));
}

interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

function describeConditions(sheet: Sheet, conditions: readonly ConditionLike[] | undefined): void {
  if (conditions === undefined || conditions.length === 0) return;
  sheet.line(0, 'Conditions:');
  sheet.line(1, 'Type\tStatus\tReason');
  sheet.line(1, '----\t------\t------');
  for (const { type, status, reason = '' } of conditions) sheet.line(1, `${type} \t${status}\t${reason}`);
}

/** How many pods of a controller are in which phase. */
async function podPhases(
  options: DescribeOptions,
  {
    namespace,
    uid,
    labelSelector,
  }: { readonly namespace: string | undefined; readonly uid: string | undefined; readonly labelSelector: string },
): Promise<string> {
  const pods = await related<Pod>(options, 'pods', { namespace, labelSelector });
  const owned = pods.filter(({ metadata }) => controllerOf(metadata)?.uid === uid);
  const count = (phase: string): number => owned.filter(({ status }) => (status?.phase ?? 'Pending') === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

export async function describeReplicaSet(
  sheet: Sheet,
  set: ReplicaSet | ReplicationController,
  options: DescribeOptions,
): Promise<void> {
  const { metadata, spec, status } = set;
  const isController = set.kind === 'ReplicationController';
  const selector = spec?.selector as LabelSelector | Readonly<Record<string, string>> | undefined;
  const text = isController
    ? selectorText(selector as Readonly<Record<string, string>>)
    : labelSelectorText(selector as LabelSelector);
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  sheet.field('Selector', text);
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  controlledBy(sheet, metadata);
  sheet.field('Replicas', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 0} desired`);
  sheet.field(
    'Pods Status',
    await podPhases(options, { namespace: metadata.namespace, uid: metadata.uid, labelSelector: text }),
  );
  describePodTemplate(sheet, spec?.template);
  describeConditions(sheet, status?.conditions);
  await describeEvents(sheet, options, { metadata });
}

export async function describeStatefulSet(sheet: Sheet, set: StatefulSet, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status } = set;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  sheet.field('CreationTimestamp', longTime(metadata.creationTimestamp ?? ''));
  sheet.field('Selector', labelSelectorText(spec?.selector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.field('Replicas', `${spec?.replicas ?? 0} desired | ${status?.replicas ?? 0} total`);
  sheet.field('Update Strategy', spec?.updateStrategy?.type ?? '');
  const partition = spec?.updateStrategy?.rollingUpdate?.partition;
  if (partition !== undefined) sheet.field('Partition', partition, 1);
  const labelSelector = formatLabelSelector(spec?.selector);
  sheet.field(
    'Pods Status',
    await podPhases(options, { namespace: metadata.namespace, uid: metadata.uid, labelSelector }),
  );
  describePodTemplate(sheet, spec?.template);
  describeClaimTemplates(sheet, spec?.volumeClaimTemplates ?? []);
  await describeEvents(sheet, options, { metadata });
}

function describeClaimTemplates(sheet: Sheet, claims: readonly PersistentVolumeClaim[]): void {
  sheet.line(0, `Volume Claims:${claims.length === 0 ? '\t<none>' : ''}`);
  for (const { metadata, spec } of claims) {
    sheet.field('Name', metadata.name ?? '', 1);
    sheet.field('StorageClass', spec?.storageClassName ?? '', 1);
    sheet.labels('Labels', metadata.labels, '  ');
    sheet.annotations(metadata.annotations, '  ');
    sheet.field('Capacity', spec?.resources?.requests?.['storage'] ?? '<default>', 1);
    sheet.field('Access Modes', `[${(spec?.accessModes ?? []).join(' ')}]`, 1);
  }
}

export async function describeDaemonSet(sheet: Sheet, set: DaemonSet, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status } = set;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  sheet.field('Selector', labelSelectorText(spec?.selector));
  sheet.field('Node-Selector', selectorText(spec?.template?.spec?.nodeSelector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.line(0, `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`);
  sheet.line(0, `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`);
  sheet.line(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`);
  sheet.line(0, `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`);
  sheet.line(0, `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`);
  const labelSelector = formatLabelSelector(spec?.selector);
  sheet.field(
    'Pods Status',
    await podPhases(options, { namespace: metadata.namespace, uid: metadata.uid, labelSelector }),
  );
  describePodTemplate(sheet, spec?.template);
  await describeEvents(sheet, options, { metadata });
}
