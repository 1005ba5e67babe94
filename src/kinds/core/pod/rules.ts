import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { each } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { applyAppArmorAnnotations } from './app-armor.ts';
import { defaultPod, mirrorServiceAccount } from './defaults.ts';
import { dropDisabledFields, dropDisabledStatusFields } from './disabled.ts';
import { applyLabelKeys } from './label-keys.ts';
import { qosClassOf } from './qos.ts';
import { validateConfinement, validatePodAnnotations } from './validation/annotations.ts';
import { validateImage } from './validation/containers.ts';
import { validatePodSpec } from './validation/spec.ts';
import { validatePodStatus } from './validation/status.ts';
import { validatePodUpdate } from './validation/update.ts';
import { podStatusWarnings, podWarnings } from './warnings/index.ts';

export const podRules: KindRules<core.Pod> = {
  defaults: defaultPod,
  prepareForCreate(pod, context) {
    dropDisabledFields(pod.spec, undefined, context);
    // Of what a client says of a new pod, only this counts.
    pod.status = { phase: 'Pending', qosClass: pod.status?.qosClass || qosClassOf(pod.spec) };
    mirrorServiceAccount(pod.spec);
    // A negative one is as short as one can be.
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
    if ((pod.spec.schedulingGates ?? []).length > 0) {
      pod.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          lastTransitionTime: formatTime(context.now),
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ];
    }
    applyLabelKeys(pod);
    applyAppArmorAnnotations(pod, context);
  },
  prepareForUpdate(pod, old, context) {
    dropDisabledFields(pod.spec, old.spec, context);
    mirrorServiceAccount(pod.spec);
  },
  prepareForStatusUpdate(pod, old, context) {
    pod.metadata.ownerReferences = old.metadata.ownerReferences as Mutable<typeof old.metadata.ownerReferences>;
    if (pod.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences;
    pod.status ??= {};
    const qosClass = pod.status.qosClass ?? old.status?.qosClass;
    if (qosClass !== undefined) pod.status.qosClass = qosClass;
    keepObservedGenerations(pod.status, old.status);
    dropDisabledStatusFields(pod.status, old.status, context);
  },
  keepsStatusOnCreate: true,
  validate: validatePod,
  validateNew: validateNewPod,
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatus,
  warnings: podWarnings,
  statusWarnings: podStatusWarnings,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  /** A pod that no node has, or that is over, needs no time to end. */
  gracePeriodSeconds(pod, requested) {
    const phase = pod.status?.phase;
    if ((pod.spec.nodeName ?? '') === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
    const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};

/** Everything wrong with a pod, new or changed. */
export function validatePod(pod: core.Pod): FieldError[] {
  const { spec, metadata } = pod;
  return [
    ...validatePodAnnotations(metadata.annotations, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec'),
    ...((spec.serviceAccountName ?? '') === '' ? validateTokens(spec) : []),
    ...(['containers', 'initContainers'] as const).flatMap((field) =>
      each(spec[field], `spec.${field}`, ({ image = '' }, at) => validateImage(image, `${at}.image`)),
    ),
  ];
}

/** Without an account there is nobody whose token a volume could hold. */
function validateTokens({ volumes }: core.PodSpec): FieldError[] {
  const detail = 'must not be specified when serviceAccountName is not set';
  return each(volumes, 'spec.volumes', ({ projected }, at) =>
    each(projected?.sources, `${at}.projected.sources`, ({ serviceAccountToken }, place) =>
      serviceAccountToken === undefined ? [] : [fieldError.forbidden(`${place}.serviceAccountToken`, detail)],
    ),
  );
}

function validateNewPod({ metadata, spec }: core.Pod): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.ephemeralContainers ?? []).length > 0)
    errors.push(fieldError.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  const isGated = (spec.schedulingGates ?? []).length > 0 && (spec.nodeName ?? '') !== '';
  const detail = 'cannot be set until all schedulingGates have been cleared';
  if (isGated) errors.push(fieldError.forbidden('spec.nodeName', detail));
  return [...errors, ...validateConfinement(metadata.annotations, spec, 'spec')];
}

/** A writer that knows nothing of observed generations (KEP-5067) does not erase them. */
function keepObservedGenerations(status: Mutable<core.PodStatus>, old: core.PodStatus | undefined): void {
  if (status.observedGeneration === undefined && old?.observedGeneration !== undefined) {
    status.observedGeneration = old.observedGeneration;
  }
  for (const condition of status.conditions ?? []) {
    if (condition.observedGeneration !== undefined) continue;
    const generation = old?.conditions?.find(({ type }) => type === condition.type)?.observedGeneration;
    if (generation !== undefined) condition.observedGeneration = generation;
  }
}
