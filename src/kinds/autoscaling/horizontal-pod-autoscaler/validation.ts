import { validateContainerResourceName } from '#kinds/core/pod/validation/resources.ts';
import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { RuleContext } from '#kinds/kind.ts';
import { each, invalidAll, negativeMessage, nonNegative } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, pathSegmentProblems } from '#machinery/names.ts';
import { quantity } from '#machinery/quantity.ts';

type Autoscaler = autoscaling.HorizontalPodAutoscaler;

const maxStabilizationSeconds = 3600;
const maxPeriodSeconds = 1800;

export function validateAutoscaler(
  { spec }: Autoscaler,
  old: Autoscaler | undefined,
  { featureEnabled }: Pick<RuleContext, 'featureEnabled'>,
): FieldError[] {
  const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec;
  const least = featureEnabled('HPAScaleToZero') || old?.spec.minReplicas === 0 ? 0 : 1;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < least)
    errors.push(fieldError.invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${least}`));
  if (maxReplicas === 0) errors.push(fieldError.required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (maxReplicas < 0)
    errors.push(fieldError.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const detail = 'must be greater than or equal to `minReplicas`';
    errors.push(fieldError.invalid('spec.maxReplicas', maxReplicas, detail));
  }
  const before = old?.spec.scaleTargetRef;
  const isSame = before?.apiVersion === scaleTargetRef?.apiVersion && before?.kind === scaleTargetRef?.kind;
  const needsGroup = scaleTargetRef?.kind !== 'ReplicationController';
  return [
    ...errors,
    ...validateReference(scaleTargetRef, 'spec.scaleTargetRef', {
      checksVersion: old === undefined || !isSame,
      needsGroup,
    }),
    ...validateMetrics(spec),
    ...validateScaling(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateScaling(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
}

export function validateAutoscalerStatus({ status }: Autoscaler): FieldError[] {
  return [
    ...nonNegative(status?.currentReplicas, 'status.currentReplicas'),
    ...nonNegative(status?.desiredReplicas, 'status.desiredReplicas'),
  ];
}

function validateReference(
  reference: autoscaling.CrossVersionObjectReference | undefined,
  path: string,
  { checksVersion, needsGroup }: { readonly checksVersion: boolean; readonly needsGroup: boolean },
): FieldError[] {
  const { kind = '', name = '', apiVersion = '' } = reference ?? {};
  const segment = (field: string, value: string): FieldError[] =>
    value === ''
      ? [fieldError.required(`${path}.${field}`)]
      : invalidAll(`${path}.${field}`, value, pathSegmentProblems(value));
  const errors = [...segment('kind', kind), ...segment('name', name)];
  if (!checksVersion) return errors;
  const slashes = apiVersion.split('/').length - 1;
  if (slashes > 1)
    errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (needsGroup && (slashes === 0 || apiVersion.startsWith('/')))
    errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, 'apiVersion must specify API group'));
  return errors;
}

function validateMetrics({ metrics, minReplicas }: Autoscaler['spec']): FieldError[] {
  const path = 'spec.metrics';
  const errors = each(metrics, path, validateMetric);
  const wakes = metrics?.some(({ type }) => type === 'Object' || type === 'External') === true;
  if (minReplicas === 0 && !wakes) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(fieldError.forbidden(path, detail));
  }
  return errors;
}

const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
const types: Readonly<Record<string, (typeof sources)[number]>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function validateMetric(metric: autoscaling.MetricSpec, path: string): FieldError[] {
  const { type = '' } = metric;
  const errors: FieldError[] = [];
  if (type === '') errors.push(fieldError.required(`${path}.type`, 'must specify a metric source type'));
  const expected = Object.hasOwn(types, type) ? types[type] : undefined;
  const present = sources.filter((source) => metric[source] !== undefined);
  const unknown = fieldError.notSupported(`${path}.type`, type, Object.keys(types));
  if (expected === undefined) errors.push(unknown);
  const first = present[0];
  if (first !== undefined) errors.push(...validateSource(metric, first, `${path}.${first}`));
  if (expected === undefined) errors.push(unknown);
  else if (metric[expected] === undefined)
    errors.push(fieldError.required(`${path}.${expected}`, 'must populate information for the given metric source'));
  if (present.length !== 1)
    for (const source of present)
      if (source !== expected)
        errors.push(fieldError.forbidden(`${path}.${source}`, 'must populate the given metric source only'));
  return errors;
}

function validateSource(metric: autoscaling.MetricSpec, source: (typeof sources)[number], path: string): FieldError[] {
  switch (source) {
    case 'object': {
      const { describedObject, metric: named, target } = metric.object!;
      const wanted =
        target?.value === undefined && target?.averageValue === undefined
          ? [fieldError.required(`${path}.target.averageValue`, 'must set either a target value or averageValue')]
          : [];
      return [
        ...validateReference(describedObject, `${path}.describedObject`, { checksVersion: true, needsGroup: false }),
        ...validateIdentifier(named, `${path}.metric`),
        ...validateTarget(target, `${path}.target`),
        ...wanted,
      ];
    }
    case 'external':
      return validateExternal(metric.external!, path);
    case 'pods': {
      const { metric: named, target } = metric.pods!;
      const wanted =
        target?.averageValue === undefined
          ? [fieldError.required(`${path}.target.averageValue`, 'must specify a positive target averageValue')]
          : [];
      return [...validateIdentifier(named, `${path}.metric`), ...validateTarget(target, `${path}.target`), ...wanted];
    }
    case 'resource': {
      const { name = '', target } = metric.resource!;
      const named = name === '' ? [fieldError.required(`${path}.name`, 'must specify a resource name')] : [];
      return [...named, ...validateUsage(target, `${path}.target`)];
    }
    case 'containerResource':
      return validateContainerResource(metric.containerResource!, path);
  }
}

function validateExternal({ metric, target }: autoscaling.ExternalMetricSource, path: string): FieldError[] {
  const errors = [...validateIdentifier(metric, `${path}.metric`), ...validateTarget(target, `${path}.target`)];
  if (target?.value === undefined && target?.averageValue === undefined) {
    const detail = 'must set either a target value for metric or a per-pod target';
    errors.push(fieldError.required(`${path}.target.averageValue`, detail));
  }
  if (target?.value !== undefined && target.averageValue !== undefined) {
    const detail = 'may not set both a target value for metric and a per-pod target';
    errors.push(fieldError.forbidden(`${path}.target.value`, detail));
  }
  return errors;
}

function validateContainerResource(
  { name = '', container = '', target }: autoscaling.ContainerResourceMetricSource,
  path: string,
): FieldError[] {
  return [
    ...(name === ''
      ? [fieldError.required(`${path}.name`, 'must specify a resource name')]
      : validateContainerResourceName(name, `${path}.name`)),
    ...(container === ''
      ? [fieldError.required(`${path}.container`, 'must specify a container')]
      : invalidAll(`${path}.container`, container, label1123Problems(container))),
    ...validateUsage(target, `${path}.target`),
  ];
}

function validateUsage(target: autoscaling.MetricTarget, path: string): FieldError[] {
  const errors = validateTarget(target, path);
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(fieldError.required(`${path}.averageUtilization`, detail));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(fieldError.forbidden(`${path}.averageValue`, detail));
  }
  return errors;
}

function validateTarget(target: autoscaling.MetricTarget | undefined, path: string): FieldError[] {
  const { type = '', value, averageValue, averageUtilization } = target ?? {};
  const errors = type === '' ? [fieldError.required(`${path}.type`, 'must specify a metric target type')] : [];
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    errors.push(fieldError.invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  for (const [field, text] of Object.entries({ value, averageValue }))
    if (text !== undefined && quantity(text).nanos <= 0n)
      errors.push(fieldError.invalid(`${path}.${field}`, text, 'must be positive'));
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(fieldError.invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  return errors;
}

function validateIdentifier(metric: autoscaling.MetricIdentifier | undefined, path: string): FieldError[] {
  const name = metric?.name ?? '';
  if (name === '') return [fieldError.required(`${path}.name`, 'must specify a metric name')];
  return invalidAll(`${path}.name`, name, pathSegmentProblems(name));
}

function validateScaling(rules: autoscaling.HPAScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const errors: FieldError[] = [];
  const at = `${path}.stabilizationWindowSeconds`;
  if (seconds !== undefined && seconds < 0)
    errors.push(fieldError.invalid(at, seconds, 'must be greater than or equal to zero'));
  if (seconds !== undefined && seconds > maxStabilizationSeconds)
    errors.push(fieldError.invalid(at, seconds, `must be less than or equal to ${maxStabilizationSeconds}`));
  const selections = ['Disabled', 'Max', 'Min'];
  if (selectPolicy !== undefined && !selections.includes(selectPolicy))
    errors.push(fieldError.notSupported(`${path}.selectPolicy`, selectPolicy, selections));
  if (policies.length === 0) errors.push(fieldError.required(`${path}.policies`, 'must specify at least one Policy'));
  errors.push(...each(policies, `${path}.policies`, validatePolicy));
  if (tolerance !== undefined && quantity(tolerance).nanos < 0n)
    errors.push(fieldError.invalid(`${path}.tolerance`, tolerance, negativeMessage));
  return errors;
}

function validatePolicy({ type, value, periodSeconds }: autoscaling.HPAScalingPolicy, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (type !== 'Pods' && type !== 'Percent')
    errors.push(fieldError.notSupported(`${path}.type`, type, ['Percent', 'Pods']));
  if (value <= 0) errors.push(fieldError.invalid(`${path}.value`, value, 'must be greater than zero'));
  if (periodSeconds <= 0)
    errors.push(fieldError.invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'));
  if (periodSeconds > maxPeriodSeconds) {
    const detail = `must be less than or equal to ${maxPeriodSeconds}`;
    errors.push(fieldError.invalid(`${path}.periodSeconds`, periodSeconds, detail));
  }
  return errors;
}
