import { validateClaimSpec } from '#kinds/core/persistent-volume-claim/validation.ts';
import { validateDaemonSetPods, validateWorkload } from '#kinds/core/pod-template/validation.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { immutable, invalidAll, nonNegative, notMoreThanAll, positiveIntOrPercent } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems } from '#machinery/names.ts';

/** The amount of a number or a percentage, to ask whether it is none at all. */
function amountOf(value: number | string | undefined): number {
  return typeof value === 'string' ? Number.parseInt(value, 10) || 0 : (value ?? 0);
}

const asReplicaSet = { kind: 'ReplicaSet', emptyAs: 'deployment', unreadable: 'invalid label selector' } as const;
const asStatefulSet = { kind: 'StatefulSet', emptyAs: 'statefulset', unreadable: '' } as const;

export function validateDeployment({ spec }: apps.Deployment): FieldError[] {
  const { progressDeadlineSeconds, minReadySeconds = 0 } = spec;
  const errors = [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...validateWorkload(spec, asReplicaSet),
    ...validateStrategy(spec.strategy ?? {}, 'spec.strategy'),
    ...nonNegative(minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...nonNegative(progressDeadlineSeconds, 'spec.progressDeadlineSeconds'),
  ];
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
    const detail = 'must be greater than minReadySeconds';
    errors.push(fieldError.invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, detail));
  }
  return errors;
}

function validateStrategy(strategy: apps.DeploymentStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy;
  if (type === 'Recreate') {
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate === undefined ? [] : [fieldError.forbidden(`${path}.rollingUpdate`, detail)];
  }
  if (type !== 'RollingUpdate') {
    const shown = goStruct('apps.DeploymentStrategy', strategy);
    return [fieldError.notSupported(path, shown, ['Recreate', 'RollingUpdate'])];
  }
  if (rollingUpdate === undefined) {
    return [fieldError.required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil')];
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const at = `${path}.rollingUpdate`;
  const errors = [
    ...positiveIntOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...positiveIntOrPercent(maxSurge, `${at}.maxSurge`),
  ];
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    const detail = 'may not be 0 when `maxSurge` is 0';
    errors.push(fieldError.invalid(`${at}.maxUnavailable`, maxUnavailable, detail));
  }
  return [...errors, ...notMoreThanAll(maxUnavailable, `${at}.maxUnavailable`)];
}

/** What a Deployment, ReplicaSet or DaemonSet selects cannot change. */
export function validateSelectorUpdate(
  object: apps.Deployment | apps.ReplicaSet | apps.DaemonSet,
  old: apps.Deployment | apps.ReplicaSet | apps.DaemonSet,
): FieldError[] {
  return immutable(object.spec.selector, old.spec.selector, 'spec.selector', 'v1.LabelSelector');
}

export function validateReplicaSet({ spec }: apps.ReplicaSet): FieldError[] {
  return [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateWorkload(spec, asReplicaSet),
  ];
}

export function validateDaemonSet({ spec }: apps.DaemonSet): FieldError[] {
  return [
    ...validateDaemonSetPods(spec),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateDaemonSetStrategy(spec),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
}

function validateDaemonSetStrategy(spec: apps.DaemonSetSpec): FieldError[] {
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const errors: FieldError[] = [];
  if (type === 'OnDelete') return errors;
  if (type !== 'RollingUpdate') {
    const shown = goStruct('apps.DaemonSetUpdateStrategy', spec.updateStrategy);
    return [...errors, fieldError.notSupportedInOrder('spec.updateStrategy', shown, ['RollingUpdate', 'OnDelete'])];
  }
  if (rollingUpdate === undefined) return [...errors, fieldError.required('spec.updateStrategy.rollingUpdate')];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const path = 'spec.updateStrategy.rollingUpdate';
  errors.push(
    ...positiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...positiveIntOrPercent(maxSurge, `${path}.maxSurge`),
    ...notMoreThanAll(maxUnavailable, `${path}.maxUnavailable`),
    ...notMoreThanAll(maxSurge, `${path}.maxSurge`),
  );
  const [hasUnavailable, hasSurge] = [amountOf(maxUnavailable) !== 0, amountOf(maxSurge) !== 0];
  if (hasUnavailable && hasSurge) {
    errors.push(fieldError.invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (!hasUnavailable && !hasSurge) {
    errors.push(fieldError.required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}

export function validateStatefulSet({ spec }: apps.StatefulSet): FieldError[] {
  return validateSetSpec(
    spec,
    (spec.volumeClaimTemplates ?? []).flatMap(({ spec: claim }, index) =>
      validateClaimSpec(claim ?? {}, `spec.volumeClaimTemplates[${index}].spec`),
    ),
    validateServiceName(spec.serviceName ?? ''),
  );
}

function validateServiceName(name: string): FieldError[] {
  return name === '' ? [] : invalidAll('spec.serviceName', name, label1123Problems(name));
}

const policies = ['Retain', 'Delete'];

/**
 * What a new set is asked for, and a changed one.
 * @param claims what is wrong with the claims, which never change, and so are judged only once
 * @param service the same of the name of the service
 */
function validateSetSpec(
  spec: apps.StatefulSetSpec,
  claims: readonly FieldError[],
  service: readonly FieldError[],
): FieldError[] {
  const errors: FieldError[] = [];
  const { podManagementPolicy = '', updateStrategy, persistentVolumeClaimRetentionPolicy: retention } = spec;
  if (podManagementPolicy === '') errors.push(fieldError.required('spec.podManagementPolicy'));
  else if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
    const detail = "must be 'OrderedReady' or 'Parallel'";
    errors.push(fieldError.invalid('spec.podManagementPolicy', podManagementPolicy, detail));
  }
  errors.push(...validateSetStrategy(updateStrategy ?? {}));
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`;
    const policy = retention?.[field] ?? '';
    if (policy === '') errors.push(fieldError.required(path));
    else if (!policies.includes(policy)) errors.push(fieldError.notSupportedInOrder(path, policy, policies));
  }
  errors.push(
    ...claims,
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...service,
  );
  return [...errors, ...validateWorkload({ ...spec, template: asInPods(spec) }, asStatefulSet)];
}

function validateSetStrategy(strategy: apps.StatefulSetUpdateStrategy): FieldError[] {
  const { type = '', rollingUpdate } = strategy;
  const path = 'spec.updateStrategy';
  if (type === '') return [fieldError.required(path)];
  if (type === 'OnDelete') {
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    if (rollingUpdate === undefined) return [];
    const shown = goStruct('apps.RollingUpdateStatefulSetStrategy', rollingUpdate);
    return [fieldError.invalid(`${path}.rollingUpdate`, shown, detail)];
  }
  if (type !== 'RollingUpdate') {
    const shown = goStruct('apps.StatefulSetUpdateStrategy', strategy);
    return [fieldError.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  const { partition, maxUnavailable } = rollingUpdate ?? {};
  return [
    ...nonNegative(partition, `${path}.rollingUpdate.partition`),
    ...(maxUnavailable === undefined
      ? []
      : [
          ...positiveIntOrPercent(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`),
          ...notMoreThanAll(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`),
        ]),
  ];
}

/** The template as its pods will be: called by the set, and with a volume for each claim. */
function asInPods(spec: apps.StatefulSetSpec): apps.StatefulSetSpec['template'] {
  // Of two templates with one name the later one counts.
  const claims = [...new Set((spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? ''))];
  const { template } = spec;
  if (template?.spec === undefined) return template;
  const { hostname, subdomain, ...rest } = template.spec;
  if (claims.length === 0)
    return hostname === undefined && subdomain === undefined ? template : { ...template, spec: rest };
  const volumes = [
    ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(rest.volumes ?? []).filter(({ name }) => !claims.includes(name)),
  ];
  return { ...template, spec: { ...rest, volumes } };
}

const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export function validateStatefulSetUpdate(set: apps.StatefulSet, old: apps.StatefulSet): FieldError[] {
  const fixed = ({ spec }: apps.StatefulSet): object => {
    const rest: { [Key in keyof apps.StatefulSetSpec]?: unknown } = { ...spec };
    for (const field of changeable) delete rest[field];
    return rest;
  };
  const errors = validateSetSpec(set.spec, [], []);
  if (equalValues(fixed(set), fixed(old))) return errors;
  const detail =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  return [...errors, fieldError.forbidden('spec', detail)];
}

export function validateControllerRevision(revision: apps.ControllerRevision): FieldError[] {
  const data: unknown = revision.data;
  const errors = nonNegative(revision.revision, 'revision');
  if (data === undefined || data === null) return [...errors, fieldError.required('data', 'data is mandatory')];
  const isObject = typeof data === 'object' && !Array.isArray(data);
  return isObject ? errors : [...errors, fieldError.required('data', 'data must be a valid JSON object')];
}

export function validateControllerRevisionUpdate(
  revision: apps.ControllerRevision,
  old: apps.ControllerRevision,
): FieldError[] {
  return [...nonNegative(revision.revision, 'revision'), ...immutable(revision.data, old.data, 'data')];
}
