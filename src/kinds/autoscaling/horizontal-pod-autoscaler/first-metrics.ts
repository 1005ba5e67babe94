import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';

/** Metrics as autoscaling/v1 writes them into annotations: flat, with a field for each kind of target. */

type Target = autoscaling.MetricTarget;
type Flat = { readonly [name: string]: Json | undefined };

const json = (value: unknown): Json | undefined => value as Json | undefined;

export function metricToFirst({
  type,
  resource,
  containerResource,
  pods,
  object,
  external,
}: autoscaling.MetricSpec): Flat {
  const usage = ({ averageUtilization, averageValue }: Target): Flat => ({
    targetAverageUtilization: averageUtilization,
    targetAverageValue: averageValue,
  });
  if (resource !== undefined) return { type, resource: { name: resource.name, ...usage(resource.target) } };
  if (containerResource !== undefined) {
    const { name, container, target } = containerResource;
    return { type, containerResource: { name, ...usage(target), container } };
  }
  if (pods !== undefined) {
    const { metric, target } = pods;
    return {
      type,
      pods: { metricName: metric.name, targetAverageValue: target.averageValue, selector: json(metric.selector) },
    };
  }
  if (object !== undefined) {
    const { describedObject, metric, target } = object;
    return {
      type,
      object: {
        target: json(describedObject),
        metricName: metric.name,
        targetValue: target.value ?? '0',
        selector: json(metric.selector),
        averageValue: target.averageValue,
      },
    };
  }
  if (external === undefined) return { type };
  const { metric, target } = external;
  return {
    type,
    external: {
      metricName: metric.name,
      metricSelector: json(metric.selector),
      targetValue: target.value,
      targetAverageValue: target.averageValue,
    },
  };
}

interface FlatMetric {
  readonly name: string;
  readonly container: string;
  readonly metricName: string;
  readonly target: autoscaling.CrossVersionObjectReference;
  readonly selector?: autoscaling.MetricIdentifier['selector'];
  readonly metricSelector?: autoscaling.MetricIdentifier['selector'];
  readonly targetAverageUtilization?: number;
  readonly targetAverageValue?: string;
  readonly targetValue?: string;
  readonly averageValue?: string;
  readonly currentAverageUtilization?: number;
  readonly currentAverageValue?: string;
  readonly currentValue?: string;
}

type FlatSpec = { readonly type: string } & Readonly<Partial<Record<Source, FlatMetric>>>;
type Source = 'resource' | 'containerResource' | 'pods' | 'object' | 'external';

function target(type: string, values: Omit<Target, 'type'>): Target {
  return { type, ...defined(values) };
}

function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as T;
}

export function metricFromFirst(written: JsonObject): autoscaling.MetricSpec {
  const { type, resource, containerResource, pods, object, external } = written as unknown as FlatSpec;
  const usage = ({ targetAverageUtilization, targetAverageValue }: FlatMetric): Target =>
    targetAverageUtilization === undefined || targetAverageUtilization === null
      ? target('AverageValue', { averageValue: targetAverageValue! })
      : target('Utilization', { averageUtilization: targetAverageUtilization, averageValue: targetAverageValue! });
  const metric = ({ metricName, selector, metricSelector }: FlatMetric): autoscaling.MetricIdentifier =>
    defined({ name: metricName, selector: (selector ?? metricSelector)! });
  if (resource !== undefined) return { type, resource: { name: resource.name, target: usage(resource) } };
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    return { type, containerResource: { name, container, target: usage(containerResource) } };
  }
  if (pods !== undefined)
    return {
      type,
      pods: { metric: metric(pods), target: target('AverageValue', { averageValue: pods.targetAverageValue! }) },
    };
  if (object !== undefined) {
    const { target: describedObject, targetValue, averageValue } = object;
    const wanted =
      averageValue === undefined || averageValue === null
        ? target('Value', { value: targetValue! })
        : target('AverageValue', { averageValue });
    return { type, object: { describedObject, metric: metric(object), target: wanted } };
  }
  if (external === undefined) return { type };
  const { targetValue, targetAverageValue } = external;
  const wanted =
    targetValue === undefined || targetValue === null
      ? target('AverageValue', { averageValue: targetAverageValue! })
      : target('Value', { value: targetValue });
  return { type, external: { metric: metric(external), target: wanted } };
}

export function statusToFirst({
  type,
  resource,
  containerResource,
  pods,
  object,
  external,
}: autoscaling.MetricStatus): Flat {
  const usage = ({ averageUtilization, averageValue }: autoscaling.MetricValueStatus): Flat => ({
    currentAverageUtilization: averageUtilization,
    currentAverageValue: averageValue ?? '0',
  });
  if (resource !== undefined) return { type, resource: { name: resource.name, ...usage(resource.current) } };
  if (containerResource !== undefined) {
    const { name, container, current } = containerResource;
    return { type, containerResource: { name, ...usage(current), container } };
  }
  if (pods !== undefined) {
    const { metric, current } = pods;
    return {
      type,
      pods: { metricName: metric.name, currentAverageValue: current.averageValue, selector: json(metric.selector) },
    };
  }
  if (object !== undefined) {
    const { describedObject, metric, current } = object;
    return {
      type,
      object: {
        target: json(describedObject),
        metricName: metric.name,
        currentValue: current.value ?? '0',
        selector: json(metric.selector),
        averageValue: current.averageValue,
      },
    };
  }
  if (external === undefined) return { type };
  const { metric, current } = external;
  return {
    type,
    external: {
      metricName: metric.name,
      metricSelector: json(metric.selector),
      currentValue: current.value ?? '0',
      currentAverageValue: current.averageValue,
    },
  };
}

export function statusFromFirst(written: JsonObject): autoscaling.MetricStatus {
  const { type, resource, containerResource, pods, object, external } = written as unknown as FlatSpec;
  const usage = ({ currentAverageUtilization, currentAverageValue }: FlatMetric): autoscaling.MetricValueStatus =>
    defined({ averageUtilization: currentAverageUtilization!, averageValue: currentAverageValue! });
  const metric = ({ metricName, selector, metricSelector }: FlatMetric): autoscaling.MetricIdentifier =>
    defined({ name: metricName, selector: (selector ?? metricSelector)! });
  if (resource !== undefined) return { type, resource: { name: resource.name, current: usage(resource) } };
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    return { type, containerResource: { name, container, current: usage(containerResource) } };
  }
  if (pods !== undefined) return { type, pods: { metric: metric(pods), current: usage(pods) } };
  if (object !== undefined) {
    const current = defined({ value: object.currentValue!, averageValue: object.averageValue! });
    return { type, object: { describedObject: object.target, metric: metric(object), current } };
  }
  if (external === undefined) return { type };
  const current = defined({ value: external.currentValue!, averageValue: external.currentAverageValue! });
  return { type, external: { metric: metric(external), current } };
}
