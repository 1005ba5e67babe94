import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';

/**
 * Metrics as autoscaling/v1 writes them into annotations: flat, with a field for each kind of value. What is wanted of a
 * metric and what was seen of it are written alike, under names that begin with `target` and `current`.
 */

type Half = 'target' | 'current';
type Source = 'resource' | 'containerResource' | 'pods' | 'object' | 'external';
type Values = Omit<autoscaling.MetricTarget, 'type'>;

/** A source of a metric: each has some of these. */
interface Measured {
  readonly name: string;
  readonly container: string;
  readonly metric: autoscaling.MetricIdentifier;
  readonly describedObject: autoscaling.CrossVersionObjectReference;
  readonly target?: Values;
  readonly current?: Values;
}

type Metric = { readonly type: string } & Readonly<Partial<Record<Source, Measured>>>;
type Flat = { readonly [name: string]: Json | undefined };

export const metricToFirst = (metric: autoscaling.MetricSpec): Flat => toFirst(metric as Metric, 'target');
export const statusToFirst = (status: autoscaling.MetricStatus): Flat => toFirst(status as Metric, 'current', '0');

const json = (value: unknown): Json | undefined => value as Json | undefined;

/** @param absent what is written for a value that is not there */
function toFirst(written: Metric, half: Half, absent?: string): Flat {
  const { type, resource, containerResource, pods, object, external } = written;
  const named = { value: `${half}Value`, utilization: `${half}AverageUtilization`, average: `${half}AverageValue` };
  const valuesOf = (measured: Measured): Values => measured[half] ?? {};
  const usage = (measured: Measured): Flat => ({
    [named.utilization]: valuesOf(measured).averageUtilization,
    [named.average]: valuesOf(measured).averageValue ?? absent,
  });
  if (resource !== undefined) return { type, resource: { name: resource.name, ...usage(resource) } };
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    return { type, containerResource: { name, ...usage(containerResource), container } };
  }
  if (pods !== undefined) {
    const { name, selector } = pods.metric;
    const { averageValue } = valuesOf(pods);
    return { type, pods: { metricName: name, [named.average]: averageValue, selector: json(selector) } };
  }
  if (object !== undefined) {
    const { describedObject, metric } = object;
    const { value = '0', averageValue } = valuesOf(object);
    return {
      type,
      object: {
        target: json(describedObject),
        metricName: metric.name,
        [named.value]: value,
        selector: json(metric.selector),
        averageValue,
      },
    };
  }
  if (external === undefined) return { type };
  const { value = absent, averageValue } = valuesOf(external);
  return {
    type,
    external: {
      metricName: external.metric.name,
      metricSelector: json(external.metric.selector),
      [named.value]: value,
      [named.average]: averageValue,
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

/** How the values of each source are read. */
type Reading = Readonly<Record<'usage' | 'pods' | 'object' | 'external', (flat: FlatMetric) => object>>;

export function metricFromFirst(written: JsonObject): autoscaling.MetricSpec {
  return fromFirst(written, 'target', wantedValues) as autoscaling.MetricSpec;
}

export function statusFromFirst(written: JsonObject): autoscaling.MetricStatus {
  return fromFirst(written, 'current', seenValues) as autoscaling.MetricStatus;
}

function fromFirst(written: JsonObject, half: Half, { usage, ...reading }: Reading): object {
  const { type, resource, containerResource, pods, object, external } = written as unknown as FlatSpec;
  const metric = ({ metricName, selector, metricSelector }: FlatMetric): autoscaling.MetricIdentifier =>
    defined({ name: metricName, selector: (selector ?? metricSelector)! });
  if (resource !== undefined) return { type, resource: { name: resource.name, [half]: usage(resource) } };
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    return { type, containerResource: { name, container, [half]: usage(containerResource) } };
  }
  if (pods !== undefined) return { type, pods: { metric: metric(pods), [half]: reading.pods(pods) } };
  if (object !== undefined) {
    const { target: describedObject } = object;
    return { type, object: { describedObject, metric: metric(object), [half]: reading.object(object) } };
  }
  if (external === undefined) return { type };
  return { type, external: { metric: metric(external), [half]: reading.external(external) } };
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isGiven(value))) as T;
}

const averageTarget = (averageValue: string | undefined): object => defined({ type: 'AverageValue', averageValue });
const valueTarget = (value: string | undefined): object => defined({ type: 'Value', value });

/** The flat form does not say of which type a target is: that shows in what it has. */
const wantedValues: Reading = {
  usage: ({ targetAverageUtilization, targetAverageValue }) =>
    isGiven(targetAverageUtilization)
      ? defined({
          type: 'Utilization',
          averageUtilization: targetAverageUtilization,
          averageValue: targetAverageValue,
        })
      : averageTarget(targetAverageValue),
  pods: ({ targetAverageValue }) => averageTarget(targetAverageValue),
  object: ({ targetValue, averageValue }) =>
    isGiven(averageValue) ? averageTarget(averageValue) : valueTarget(targetValue),
  external: ({ targetValue, targetAverageValue }) =>
    isGiven(targetValue) ? valueTarget(targetValue) : averageTarget(targetAverageValue),
};

const seenUsage = ({ currentAverageUtilization, currentAverageValue }: FlatMetric): object =>
  defined({ averageUtilization: currentAverageUtilization, averageValue: currentAverageValue });

const seenValues: Reading = {
  usage: seenUsage,
  pods: seenUsage,
  object: ({ currentValue, averageValue }) => defined({ value: currentValue, averageValue }),
  external: ({ currentValue, currentAverageValue }) =>
    defined({ value: currentValue, averageValue: currentAverageValue }),
};
