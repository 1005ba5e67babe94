import { age, name } from '#kinds/cells.ts';
import type { HorizontalPodAutoscaler as FirstVersion } from '#kinds/generated/types/autoscaling_v1.ts';
import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { Cell } from '#kinds/kind.ts';

const shownMetrics = 2;
const unknown = '<unknown>';

export function horizontalPodAutoscalerCells(
  scaler: autoscaling.HorizontalPodAutoscaler,
  now: number,
): readonly Cell[] {
  const { spec, status } = scaler;
  const targets = (spec.metrics ?? []).map((metric, index) => metricText(metric, status?.currentMetrics?.[index]));
  const more = targets.length > shownMetrics ? ` + ${targets.length - shownMetrics} more...` : '';
  return [
    name(scaler),
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    targets.length === 0 ? '<none>' : targets.slice(0, shownMetrics).join(', ') + more,
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    age(scaler, now),
  ];
}

export function firstHorizontalPodAutoscalerCells(scaler: FirstVersion, now: number): readonly Cell[] {
  const { spec, status } = scaler;
  const current = status?.currentCPUUtilizationPercentage;
  const target = spec.targetCPUUtilizationPercentage;
  const now_ = current === undefined ? unknown : `${current}%`;
  return [
    name(scaler),
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    target === undefined ? '<none>' : `cpu: ${now_}/${target}%`,
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    age(scaler, now),
  ];
}

function metricText(spec: autoscaling.MetricSpec, status: autoscaling.MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return valueText(spec.external?.target, status?.external?.current);
    case 'Object':
      return valueText(spec.object?.target, status?.object?.current);
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? unknown}/${spec.pods?.target.averageValue ?? ''}`;
    case 'Resource':
      return resourceText(spec.resource, status?.resource?.current);
    case 'ContainerResource':
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return '<unknown type>';
  }
}

function valueText(
  target: autoscaling.MetricTarget | undefined,
  current: autoscaling.MetricValueStatus | undefined,
): string {
  return target?.averageValue === undefined
    ? `${current?.value ?? unknown}/${target?.value ?? ''}`
    : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
}

function resourceText(
  source: autoscaling.ResourceMetricSource | undefined,
  current: autoscaling.MetricValueStatus | undefined,
): string {
  const { averageValue, averageUtilization } = source?.target ?? {};
  if (averageValue !== undefined) return `${source?.name}: ${current?.averageValue ?? unknown}/${averageValue}`;
  const now = current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`;
  return `${source?.name}: ${now}/${averageUtilization === undefined ? '<auto>' : `${averageUtilization}%`}`;
}
