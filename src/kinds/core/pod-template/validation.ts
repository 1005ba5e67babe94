import { validatePodSpec } from '#kinds/core/pod/validation/spec.ts';
import type { PodSpec, PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { isEmptySelector, validateLabelSelector, validateLabels } from '#kinds/validation/common.ts';
import { validateAnnotations } from '#kinds/validation/object-meta.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { matchesLabels, selectorOf } from '#machinery/labels.ts';
import type { LabelSelector } from '#machinery/meta.ts';

const noSpec: PodSpec = { containers: [] };

/** Everything wrong with a template of pods, at `template` or `spec.template`. */
export function validateTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const spec = template.spec ?? noSpec;
  const errors = [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const detail = 'ephemeral containers not allowed in pod template';
    errors.push(fieldError.forbidden(`${path}.spec.ephemeralContainers`, detail));
  }
  return errors;
}

/** A workload that keeps pods running: its selector, and a template whose pods the selector finds. */
export function validateWorkload(
  spec: { readonly selector?: LabelSelector; readonly template?: PodTemplateSpec },
  { kind, emptyAs = kind.toLowerCase() }: { readonly kind: string; readonly emptyAs?: string },
): FieldError[] {
  const { selector, template } = spec;
  const errors: FieldError[] = [];
  if (selector === undefined) {
    errors.push(fieldError.required('spec.selector'));
  } else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'));
    if (isEmptySelector(selector)) {
      errors.push(fieldError.invalid('spec.selector', selector, `empty selector is invalid for ${emptyAs}`));
    }
  }
  if (template === undefined) return [...errors, fieldError.required('spec.template')];
  errors.push(...validateMatch(selector, template), ...validateTemplate(template, 'spec.template'));
  return [...errors, ...validateLongRunning(template, kind)];
}

function validateMatch(selector: LabelSelector | undefined, template: PodTemplateSpec): FieldError[] {
  if (selector === undefined || isEmptySelector(selector)) return [];
  const labels = template.metadata?.labels;
  try {
    if (matchesLabels(selectorOf(selector), labels)) return [];
  } catch {
    return [fieldError.invalid('spec.selector', selector, 'invalid label selector')];
  }
  return [fieldError.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')];
}

/** Pods that are replaced when they end may not want to end. */
function validateLongRunning(template: PodTemplateSpec, kind: string): FieldError[] {
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? noSpec;
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
