import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { formatAge, parseTime } from '#machinery/time.ts';
import { describeContainers, describeSpread, tolerationText } from '../pod-template.ts';
import { type DescribeOptions, describeEvents } from '../related.ts';
import { controlledBy, longTime, type Sheet } from '../sheet.ts';
import { describeVolumes } from '../volumes.ts';

export async function describePod(sheet: Sheet, pod: Pod, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status = {} } = pod;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  if (spec?.priority !== undefined) sheet.field('Priority', spec.priority);
  sheet.optional('Priority Class Name', spec?.priorityClassName);
  sheet.optional('Runtime Class Name', spec?.runtimeClassName);
  sheet.optional('Service Account', spec?.serviceAccountName);
  sheet.field('Node', (spec?.nodeName ?? '') === '' ? '<none>' : `${spec?.nodeName}/${status.hostIP ?? ''}`);
  if (status.startTime !== undefined) sheet.field('Start Time', longTime(status.startTime));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  describePhase(sheet, pod, options);
  const profile = spec?.securityContext?.seccompProfile;
  if (profile !== undefined) sheet.field('SeccompProfile', profile.type);
  sheet.field('IP', status.podIP ?? '');
  const addresses = status.podIPs ?? [];
  sheet.line(0, `IPs:${addresses.length === 0 ? '\t<none>' : ''}`);
  for (const { ip } of addresses) sheet.field('IP', ip, 1);
  controlledBy(sheet, metadata);
  sheet.optional('NominatedNodeName', status.nominatedNodeName);
  if ((spec?.initContainers ?? []).length > 0) {
    describeContainers(sheet, 'Init Containers', spec?.initContainers ?? [], {
      statuses: status.initContainerStatuses,
      pod,
    });
  }
  describeContainers(sheet, 'Containers', spec?.containers ?? [], { statuses: status.containerStatuses, pod });
  if ((spec?.ephemeralContainers ?? []).length > 0) {
    describeContainers(sheet, 'Ephemeral Containers', spec?.ephemeralContainers ?? [], {
      statuses: status.ephemeralContainerStatuses,
      pod,
    });
  }
  describeConditions(sheet, pod);
  describeVolumes(sheet, spec?.volumes, '');
  sheet.field('QoS Class', status.qosClass ?? '');
  sheet.labels('Node-Selectors', spec?.nodeSelector);
  sheet.list('Tolerations', (spec?.tolerations ?? []).map(tolerationText));
  if (spec !== undefined) describeSpread(sheet, spec, '');
  await describeEvents(sheet, options, { metadata });
}

function describePhase(sheet: Sheet, { metadata, status = {} }: Pod, { context }: DescribeOptions): void {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || status.phase === 'Succeeded' || status.phase === 'Failed') {
    sheet.field('Status', status.phase ?? '');
  } else {
    sheet.field('Status', `Terminating (lasts ${formatAge(context.clock.now() - parseTime(deletionTimestamp))})`);
    sheet.field('Termination Grace Period', `${deletionGracePeriodSeconds ?? 0}s`);
  }
  sheet.optional('Reason', status.reason);
  sheet.optional('Message', status.message);
}

function describeConditions(sheet: Sheet, { spec, status = {} }: Pod): void {
  const conditions = status.conditions ?? [];
  const gates = spec?.readinessGates ?? [];
  if (gates.length > 0) {
    sheet.line(0, 'Readiness Gates:');
    sheet.line(1, 'Type\tStatus');
    for (const { conditionType } of gates) {
      const found = conditions.find(({ type }) => type === conditionType);
      sheet.line(1, `${conditionType} \t${found?.status ?? '<none>'} `);
    }
  }
  if (conditions.length === 0) return;
  sheet.line(0, 'Conditions:');
  sheet.line(1, 'Type\tStatus');
  for (const condition of conditions) sheet.line(1, `${condition.type} \t${condition.status} `);
}
