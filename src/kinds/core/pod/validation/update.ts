import type * as core from '#kinds/generated/types/core_v1.ts';
import { goDiff } from '#kinds/go-struct.ts';
import { each } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { rangeMessage } from '#machinery/names.ts';
import { withEmptied } from '#machinery/sent-empty.ts';
import { validateAnnotationsChange, validatePodAnnotations } from './annotations.ts';
import { validateImage } from './containers.ts';
import { validateTolerations } from './scheduling.ts';

const maximumInt32 = 2 ** 31 - 1;
const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

/** A pod is what it was created as, but for images, its deadline, more tolerations and fewer scheduling gates. */
export function validatePodUpdate(pod: core.Pod, old: core.Pod): FieldError[] {
  const { annotations } = pod.metadata;
  const annotated = 'metadata.annotations';
  const errors = [
    ...validateAnnotationsChange(annotations, old.metadata.annotations, annotated),
    ...validatePodAnnotations(annotations, pod.spec, annotated),
  ];
  for (const field of ['containers', 'initContainers'] as const) {
    if ((pod.spec[field] ?? []).length !== (old.spec[field] ?? []).length)
      return [...errors, fieldError.forbidden(`spec.${field}`, 'pod updates may not add or remove containers')];
    // Asked here once more.
    errors.push(
      ...each(pod.spec[field], `spec.${field}`, ({ image = '' }, at) =>
        image === '' ? [fieldError.required(`${at}.image`)] : validateImage(image, `${at}.image`),
      ),
    );
  }
  const deadline = validateDeadline(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  if (deadline !== undefined) return [...errors, deadline];
  errors.push(...validateAddedTolerations(pod.spec.tolerations ?? [], old.spec.tolerations ?? []));
  errors.push(...validateGates(pod.spec.schedulingGates ?? [], old.spec.schedulingGates ?? []));
  const munged = withFixedFieldsOf(pod.spec, old.spec);
  if (equalValues(munged, old.spec)) return errors;
  const difference = goDiff('core.PodSpec', old.spec, munged);
  const detail = `pod updates may not change fields other than ${changeable.join(',')}\n${difference}`;
  return [...errors, fieldError.forbidden('spec', detail)];
}

function validateDeadline(seconds: number | undefined, old: number | undefined): FieldError | undefined {
  const path = 'spec.activeDeadlineSeconds';
  if (seconds === undefined) {
    const detail = 'must not update from a positive integer to nil value';
    return old === undefined ? undefined : fieldError.invalid(path, undefined, detail);
  }
  if (seconds < 0 || seconds > maximumInt32) return fieldError.invalid(path, seconds, rangeMessage(0, maximumInt32));
  if (old === undefined || seconds <= old) return undefined;
  return fieldError.invalid(path, seconds, 'must be less than or equal to previous value');
}

function validateAddedTolerations(
  tolerations: readonly core.Toleration[],
  old: readonly core.Toleration[],
): FieldError[] {
  const timeless = ({ tolerationSeconds: _, ...rest }: core.Toleration): object => rest;
  const isKept = (before: core.Toleration): boolean =>
    tolerations.some((now) => equalValues(timeless(before), timeless(now)));
  const detail = 'existing toleration can not be modified except its tolerationSeconds';
  const path = 'spec.tolerations';
  return old.every(isKept) ? validateTolerations(tolerations, path) : [fieldError.forbidden(path, detail)];
}

function validateGates(gates: readonly core.PodSchedulingGate[], old: readonly core.PodSchedulingGate[]): FieldError[] {
  const before = new Set(old.map(({ name }) => name));
  return gates.flatMap(({ name }, index) => {
    if (before.has(name)) return [];
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [fieldError.forbidden(`spec.schedulingGates[${index}].name`, detail)];
  });
}

/** The new specification with the old one's values wherever a change is allowed. */
function withFixedFieldsOf(spec: core.PodSpec, old: core.PodSpec): core.PodSpec {
  const munged: { -readonly [Key in keyof core.PodSpec]: core.PodSpec[Key] } = withEmptied({ ...spec }, spec);
  for (const field of ['containers', 'initContainers'] as const) {
    const before = old[field] ?? [];
    const after = spec[field];
    if (after === undefined) continue;
    munged[field] = after.map((container, index) => withImage(container, before[index]?.image));
  }
  copy(munged, old, 'activeDeadlineSeconds');
  copy(munged, old, 'schedulingGates');
  copy(munged, old, 'tolerations');
  const isRepaired = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  if (isRepaired) copy(munged, old, 'terminationGracePeriodSeconds');
  if ((old.schedulingGates ?? []).length > 0) copyWhileGated(munged, old);
  return munged;
}

function withImage(container: core.Container, image: string | undefined): core.Container {
  const { image: _, ...rest } = container;
  return withEmptied(image === undefined ? rest : { ...rest, image }, container);
}

type Fields = { -readonly [Key in keyof core.PodSpec]: core.PodSpec[Key] };

function copy<Key extends keyof core.PodSpec>(into: Fields, from: core.PodSpec, field: Key): void {
  if (from[field] === undefined) delete into[field];
  else into[field] = from[field];
}

/** KEP-3838: a pod that is still held back may narrow where it runs. */
function copyWhileGated(munged: Fields, old: core.PodSpec): void {
  const narrows = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => munged.nodeSelector?.[key] === value);
  if (narrows) copy(munged, old, 'nodeSelector');
  if (old.affinity?.nodeAffinity !== undefined || munged.affinity?.nodeAffinity === undefined) return;
  const { nodeAffinity: _, ...others } = munged.affinity;
  if (Object.keys(others).length > 0) munged.affinity = others;
  else copy(munged, old, 'affinity');
}
