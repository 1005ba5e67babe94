import { validatePodSpec } from '#kinds/core/pod/validation/spec.ts';
import type { PodSpec, PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { isEmptySelector, validateLabelSelector, validateLabels } from '#kinds/validation/common.ts';
import { validateAnnotations } from '#kinds/validation/object-meta.ts';
import { type FieldError, fieldError, GoMap } from '#machinery/errors.ts';
import { matchesLabels, type ParsedSelector, selectorOf, selectorOfLabels } from '#machinery/labels.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import { validateConfinement, validatePodAnnotations } from '../pod/validation/annotations.ts';

const noSpec: PodSpec = { containers: [] };

/** Everything wrong with a template of pods, at `template` or `spec.template`. */
export function validateTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const spec = template.spec ?? noSpec;
  const { annotations } = template.metadata ?? {};
  const errors = [
    ...validateMetadata(template, path),
    ...validatePodAnnotations(annotations, spec, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`),
    ...validateConfinement(annotations, spec, `${path}.spec`),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = 'ephemeral containers not allowed in pod template';
    errors.push(fieldError.forbidden(`${path}.spec.ephemeralContainers`, detail));
  }
  return errors;
}

function validateMetadata({ metadata }: PodTemplateSpec, path: string): FieldError[] {
  return [
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
  ];
}

interface Workload {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplateSpec;
}

/** How upstream words what is wrong with a workload. */
export interface WorkloadWording {
  readonly kind: string;
  /** For whom an empty selector is no good. */
  readonly emptyAs: string;
  /** What is said, besides, of a selector that selects nothing because it is wrong. */
  readonly unreadable: string;
}

/** A workload that keeps pods running: its selector, and a template whose pods the selector finds. */
export function validateWorkload({ selector, template }: Workload, wording: WorkloadWording): FieldError[] {
  const errors =
    selector === undefined
      ? [fieldError.required('spec.selector')]
      : [...validateLabelSelector(selector, 'spec.selector'), ...validateNotEmpty(selector, wording.emptyAs)];
  const parsed = parsedSelector(selector);
  if (parsed === undefined)
    return [
      ...errors,
      fieldError.invalid('spec.selector', goStruct('v1.LabelSelector', selector), wording.unreadable),
      // Upstream looks at the templates of sets whatever the selector is, as far as this goes.
      ...(wording.kind === 'StatefulSet' ? validateEndless(template, wording.kind) : []),
    ];
  const again = wording.kind === 'StatefulSet' ? validateMetadata(template ?? {}, 'spec.template') : [];
  return [...errors, ...validateMatch(parsed, template), ...validateLongRunning(template, wording.kind, again)];
}

/** The same for a DaemonSet, where the template is looked at whatever the selector is. */
export function validateDaemonSetPods({ selector, template }: Workload): FieldError[] {
  const parsed = parsedSelector(selector);
  return [
    ...(selector === undefined ? [] : validateLabelSelector(selector, 'spec.selector')),
    ...(parsed === undefined ? [] : validateMatch(parsed, template)),
    ...(selector === undefined ? [] : validateNotEmpty(selector, 'daemonset')),
    ...validateLongRunning(template, 'DaemonSet'),
  ];
}

/** The same for a ReplicationController, whose selector is a set of labels. */
export function validateControllerPods(
  selector: Readonly<Record<string, string>> | undefined,
  template: PodTemplateSpec | undefined,
): FieldError[] {
  if (template === undefined) return [fieldError.required('spec.template')];
  return [
    ...validateMatch(selectorOfLabels(selector), template),
    ...validateLongRunning(template, 'ReplicationController'),
  ];
}

function validateNotEmpty(selector: LabelSelector, emptyAs: string): FieldError[] {
  if (!isEmptySelector(selector)) return [];
  return [fieldError.invalid('spec.selector', {}, `empty selector is invalid for ${emptyAs}`)];
}

/** A selector that can be evaluated; undefined for one that is wrong. */
export function parsedSelector(selector: LabelSelector | undefined): ParsedSelector | undefined {
  try {
    return selectorOf(selector);
  } catch {
    return undefined;
  }
}

/** Whether the pods of a template are selected. */
export function validateMatch(
  selector: ParsedSelector | undefined,
  template: PodTemplateSpec | undefined,
): FieldError[] {
  const labels = template?.metadata?.labels;
  if (selector === undefined || matchesLabels(selector, labels)) return [];
  const detail = '`selector` does not match template `labels`';
  return [
    fieldError.invalid('spec.template.metadata.labels', labels === undefined ? undefined : new GoMap(labels), detail),
  ];
}

/**
 * A template whose pods are replaced when they end, and so may not want to end.
 * @param again what upstream asks a second time of sets
 */
function validateLongRunning(
  template: PodTemplateSpec | undefined,
  kind: string,
  again: readonly FieldError[] = [],
): FieldError[] {
  return [...validateTemplate(template ?? {}, 'spec.template'), ...again, ...validateEndless(template, kind)];
}

function validateEndless(template: PodTemplateSpec | undefined, kind: string): FieldError[] {
  const { restartPolicy = '', activeDeadlineSeconds } = template?.spec ?? noSpec;
  const errors: FieldError[] = [];
  if (restartPolicy !== 'Always') {
    errors.push(fieldError.notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(fieldError.forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
  return errors;
}
