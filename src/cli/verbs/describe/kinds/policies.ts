import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from '#kinds/generated/types/autoscaling_v2.ts';
import type { PodDisruptionBudget } from '#kinds/generated/types/policy_v1.ts';
import type { PriorityClass } from '#kinds/generated/types/scheduling_v1.ts';
import { type DescribeOptions, describeEvents } from '../related.ts';
import { head, labelSelectorText, longTime, pairs, type Sheet } from '../sheet.ts';

export async function describeBudget(
  sheet: Sheet,
  budget: PodDisruptionBudget,
  options: DescribeOptions,
): Promise<void> {
  const { metadata, spec, status } = budget;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  if (spec?.minAvailable !== undefined) sheet.field('Min available', spec.minAvailable);
  else if (spec?.maxUnavailable !== undefined) sheet.field('Max unavailable', spec.maxUnavailable);
  sheet.field('Selector', labelSelectorText(spec?.selector));
  sheet.line(0, 'Status:');
  sheet.field('Allowed disruptions', status?.disruptionsAllowed ?? 0, 2);
  sheet.field('Current', status?.currentHealthy ?? 0, 2);
  sheet.field('Desired', status?.desiredHealthy ?? 0, 2);
  sheet.field('Total', status?.expectedPods ?? 0, 2);
  await describeEvents(sheet, options, { metadata });
}

export async function describePriorityClass(
  sheet: Sheet,
  priority: PriorityClass,
  options: DescribeOptions,
): Promise<void> {
  const { metadata } = priority;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Value', priority.value ?? 0);
  sheet.field('GlobalDefault', priority.globalDefault ?? false);
  sheet.field('PreemptionPolicy', priority.preemptionPolicy ?? 'PreemptLowerPriority');
  sheet.field('Description', priority.description ?? '');
  const annotations = pairs(metadata.annotations, '=').join(',');
  sheet.field('Annotations', annotations === '' ? '<none>' : annotations);
  await describeEvents(sheet, options, { metadata });
}

export async function describeAutoscaler(
  sheet: Sheet,
  autoscaler: HorizontalPodAutoscaler,
  options: DescribeOptions,
): Promise<void> {
  const { metadata, spec, status } = autoscaler;
  head(sheet, metadata);
  sheet.field('CreationTimestamp', longTime(metadata.creationTimestamp ?? ''));
  const kind = spec?.scaleTargetRef.kind ?? '';
  sheet.field('Reference', `${kind}/${spec?.scaleTargetRef.name ?? ''}`);
  sheet.field('Metrics', '( current / target )');
  (spec?.metrics ?? []).forEach((metric, index) => {
    sheet.line(1, metricText(metric, status?.currentMetrics?.[index]));
  });
  sheet.field('Min replicas', spec?.minReplicas ?? '<unset>');
  sheet.field('Max replicas', spec?.maxReplicas ?? 0);
  sheet.field(`${kind} pods`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`);
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) {
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type\tStatus\tReason\tMessage');
    sheet.line(1, '----\t------\t------\t-------');
    for (const { type, status: value, reason = '', message = '' } of conditions) {
      sheet.line(1, `${type}\t${value}\t${reason}\t${message}`);
    }
  }
  await describeEvents(sheet, options, { metadata });
}

function metricText(spec: MetricSpec, current: MetricStatus | undefined): string {
  const unknown = '<unknown>';
  const source = spec.resource ?? spec.containerResource;
  if (source !== undefined) {
    const now = current?.resource?.current ?? current?.containerResource?.current;
    const { averageUtilization, averageValue } = source.target;
    if (averageUtilization !== undefined) {
      const share =
        now?.averageUtilization === undefined ? unknown : `${now.averageUtilization}% (${now.averageValue ?? ''})`;
      return `resource ${source.name} on pods  (as a percentage of request):\t${share} / ${averageUtilization}%`;
    }
    return `resource ${source.name} on pods:\t${now?.averageValue ?? unknown} / ${averageValue ?? '<auto>'}`;
  }
  if (spec.pods !== undefined) {
    return `"${spec.pods.metric.name}" on pods:\t${current?.pods?.current.averageValue ?? unknown} / ${spec.pods.target.averageValue ?? ''}`;
  }
  if (spec.object !== undefined) {
    const { metric, target, describedObject } = spec.object;
    const where = `${describedObject.kind}/${describedObject.name}`;
    return `"${metric.name}" on ${where} (target value):\t${current?.object?.current.value ?? unknown} / ${target.value ?? target.averageValue ?? ''}`;
  }
  const now = current?.external?.current;
  const target = spec.external?.target;
  return `"${spec.external?.metric.name ?? ''}" (target value):\t${now?.value ?? now?.averageValue ?? unknown} / ${target?.value ?? target?.averageValue ?? ''}`;
}
