import type { HorizontalPodAutoscaler as FirstVersion } from '#kinds/generated/types/autoscaling_v1.ts';
import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { JsonObject, ObjectMeta } from '#machinery/meta.ts';
import { metricFromFirst, metricToFirst, statusFromFirst, statusToFirst } from './first-metrics.ts';

/**
 * autoscaling/v1 knows one metric, the use of CPU. Everything else that v2 says travels in annotations, so that nothing
 * is lost when a client of v1 writes back what it read.
 */
const prefix = 'autoscaling.alpha.kubernetes.io/';
const annotations = {
  metrics: `${prefix}metrics`,
  behavior: `${prefix}behavior`,
  currentMetrics: `${prefix}current-metrics`,
  conditions: `${prefix}conditions`,
} as const;

type Current = autoscaling.HorizontalPodAutoscaler;

function isCpuUtilization({ type, resource }: autoscaling.MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;
}

export function autoscalerToFirst(object: Current): FirstVersion {
  const { metadata, spec, status, ...rest } = object;
  const { metrics = [], behavior, ...shared } = spec;
  const cpu = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const others = metrics.filter((metric) => !isCpuUtilization(metric)).map(metricToFirst);
  const carried = {
    [annotations.metrics]: others.length === 0 ? undefined : others,
    [annotations.behavior]: behavior === undefined ? undefined : capitalized(behavior as unknown as JsonObject),
    [annotations.currentMetrics]: nonEmpty(status?.currentMetrics?.map(statusToFirst)),
    [annotations.conditions]: nonEmpty(status?.conditions),
  };
  const used = status?.currentMetrics?.find(({ type, resource }) => type === 'Resource' && resource?.name === 'cpu');
  const { currentMetrics: _, conditions: __, ...counts } = status ?? {};
  const currentCpu = used?.resource?.current.averageUtilization;
  return {
    ...rest,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, carried),
    spec: { ...shared, ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu }) },
    ...(status === undefined
      ? {}
      : {
          status: {
            currentReplicas: 0,
            desiredReplicas: 0,
            ...counts,
            ...(currentCpu === undefined ? {} : { currentCPUUtilizationPercentage: currentCpu }),
          } as NonNullable<FirstVersion['status']>,
        }),
  };
}

export function autoscalerFromFirst(object: FirstVersion): Current {
  const { metadata, spec, status, ...rest } = object;
  const { targetCPUUtilizationPercentage: cpu, ...shared } = spec;
  const {
    currentCPUUtilizationPercentage: currentCpu,
    currentReplicas,
    ...numbers
  } = status ?? ({} as NonNullable<typeof status>);
  // In v2 none is not written.
  const counts = { ...numbers, ...((currentReplicas ?? 0) === 0 ? {} : { currentReplicas }) };
  const carried = <T>(name: string): T | undefined => parsed<T>(metadata.annotations?.[name]);
  const others = (carried<readonly JsonObject[]>(annotations.metrics) ?? []).map(metricFromFirst);
  const behavior = carried<JsonObject>(annotations.behavior);
  const metrics = [...others, ...(cpu === undefined ? [] : [cpuMetric(cpu)])];
  const currentMetrics =
    carried<readonly JsonObject[]>(annotations.currentMetrics)?.map(statusFromFirst) ??
    (currentCpu === undefined ? undefined : [cpuStatus(currentCpu)]);
  const conditions = carried<readonly autoscaling.HorizontalPodAutoscalerCondition[]>(annotations.conditions);
  return {
    ...rest,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, {}),
    spec: {
      ...shared,
      metrics: metrics.length === 0 ? [cpuMetric(defaultCpuUtilization)] : metrics,
      ...(behavior === undefined
        ? {}
        : { behavior: uncapitalized(behavior) as autoscaling.HorizontalPodAutoscalerBehavior }),
    },
    ...(status === undefined
      ? {}
      : {
          status: {
            ...counts,
            ...(currentMetrics === undefined ? {} : { currentMetrics }),
            ...(conditions === undefined ? {} : { conditions }),
          } as NonNullable<Current['status']>,
        }),
  };
}

const defaultCpuUtilization = 80;

function cpuMetric(averageUtilization: number): autoscaling.MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

function cpuStatus(averageUtilization: number): autoscaling.MetricStatus {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } };
}

function nonEmpty<T>(items: readonly T[] | undefined): readonly T[] | undefined {
  return items === undefined || items.length === 0 ? undefined : items;
}

/** Without what an earlier conversion left, and with what this one has to say. */
function withAnnotations(metadata: ObjectMeta, carried: Readonly<Record<string, unknown>>): ObjectMeta {
  const own = Object.entries(metadata.annotations ?? {}).filter(
    ([name]) => !(Object.values(annotations) as string[]).includes(name),
  );
  const added = Object.entries(carried)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, JSON.stringify(value)] as const);
  const { annotations: _, ...rest } = metadata;
  const all = [...own, ...added];
  return all.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(all) };
}

/** What cannot be read is as good as absent. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** Upstream writes the behaviour under the field names of its own types, which begin with capitals. */
function capitalized(value: unknown): unknown {
  return renamed(value, (name) => name.charAt(0).toUpperCase() + name.slice(1));
}

function uncapitalized(value: unknown): unknown {
  return renamed(value, (name) => name.charAt(0).toLowerCase() + name.slice(1));
}

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([name, member]) => [rename(name), renamed(member, rename)]),
  );
}
