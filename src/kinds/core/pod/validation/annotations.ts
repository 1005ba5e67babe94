import type * as core from '#kinds/generated/types/core_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { descendingPath } from './volumes.ts';

/** What annotations mean to pods: some were fields before there were fields, and must not contradict those. */
export type Annotations = Readonly<Record<string, string>>;

/** Of a pod that the kubelet made from a file, and tells the API server about. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const seccompOfPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompOfContainer = 'container.seccomp.security.alpha.kubernetes.io/';
const appArmorOfContainer = 'container.apparmor.security.beta.kubernetes.io/';
const localhost = 'localhost/';

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** @param path of the annotations. */
export function validatePodAnnotations(
  annotations: Annotations | undefined,
  spec: core.PodSpec,
  path: string,
): FieldError[] {
  if (annotations === undefined) return [];
  const errors: FieldError[] = [];
  if (annotations[mirrorAnnotation] !== undefined && (spec.nodeName ?? '') === '') {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(fieldError.invalid(`${path}[${mirrorAnnotation}]`, annotations[mirrorAnnotation], detail));
  }
  const cost = annotations[deletionCost];
  if (cost !== undefined && !isInt32(cost))
    errors.push(fieldError.invalid(`${path}[${deletionCost}]`, cost, 'must be a 32bit integer'));
  const keys = Object.keys(annotations);
  const seccomp = keys.filter((key) => key === seccompOfPod || key.startsWith(seccompOfContainer));
  for (const key of seccomp) errors.push(...validateSeccompName(annotations[key]!, `${path}.${key}`));
  for (const key of keys.filter((one) => one.startsWith(appArmorOfContainer))) {
    const at = `${path}[${key}]`;
    const container = key.slice(appArmorOfContainer.length);
    if (!containerLists.some((list) => spec[list]?.some(({ name }) => name === container)))
      errors.push(fieldError.invalid(at, container, 'container not found'));
    const profile = annotations[key]!;
    if (!['', 'runtime/default', 'unconfined'].includes(profile) && !profile.startsWith(localhost))
      errors.push(fieldError.invalid(at, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  }
  return errors;
}

/** A decimal without a plus sign or leading zeros. */
function isInt32(text: string): boolean {
  const value = Number(text);
  return /^(0|-?\d+)$/.test(text) && !/^0./.test(text) && value >= -(2 ** 31) && value < 2 ** 31;
}

const seccompNames = ['runtime/default', 'docker/default', 'unconfined'];

function validateSeccompName(profile: string, path: string): FieldError[] {
  if (seccompNames.includes(profile)) return [];
  if (profile.startsWith(localhost)) return descendingPath(profile.slice(localhost.length), path);
  return [fieldError.invalid(path, profile, 'must be a valid seccomp profile')];
}

/** Annotations of a new pod or a template say the same as its fields. @param path of the specification. */
export function validateConfinement(
  annotations: Annotations | undefined,
  spec: core.PodSpec,
  path: string,
): FieldError[] {
  if (annotations === undefined) return [];
  const { securityContext, os } = spec;
  const compare = (what: 'seccomp' | 'apparmor', key: string, field: Profile | undefined, at: string): FieldError[] =>
    field === undefined || annotations[key] === undefined ? [] : contradiction(what, annotations[key], field, at);
  const errors = compare(
    'seccomp',
    seccompOfPod,
    securityContext?.seccompProfile,
    `${path}.securityContext.seccompProfile`,
  );
  const visit = (check: (container: Confined, at: string) => FieldError[]): void => {
    for (const list of containerLists)
      for (const [index, container] of (spec[list] ?? []).entries())
        errors.push(...check(container, `${path}.${list}[${index}].securityContext`));
  };
  visit(({ name, securityContext: own }, at) =>
    compare('seccomp', `${seccompOfContainer}${name}`, own?.seccompProfile, `${at}.seccompProfile`),
  );
  if (os?.name === 'windows') return errors;
  visit(({ name, securityContext: own }, at) => {
    const profile = own?.appArmorProfile ?? securityContext?.appArmorProfile;
    return compare('apparmor', `${appArmorOfContainer}${name}`, profile, `${at}.appArmorProfile`);
  });
  return errors;
}

type Confined = Pick<core.Container, 'name' | 'securityContext'>;

interface Profile {
  readonly type?: string;
  readonly localhostProfile?: string;
}

const meanings: Readonly<Record<string, readonly string[]>> = {
  Unconfined: ['unconfined'],
  RuntimeDefault: ['runtime/default'],
};

function contradiction(what: 'seccomp' | 'apparmor', annotation: string, field: Profile, at: string): FieldError[] {
  const { type = '', localhostProfile } = field;
  const differs = fieldError.forbidden(`${at}.type`, `${what} type in annotation and field must match`);
  if (type !== 'Localhost') {
    const meant = meanings[type];
    const isSame = meant === undefined || meant.includes(annotation);
    const isOlderName = what === 'seccomp' && type === 'RuntimeDefault' && annotation === 'docker/default';
    return isSame || isOlderName ? [] : [differs];
  }
  if (!annotation.startsWith(localhost)) return [differs];
  if (annotation.slice(localhost.length) === localhostProfile) return [];
  return [fieldError.forbidden(`${at}.localhostProfile`, `${what} profile in annotation and field must match`)];
}

/** What annotations say of a pod's confinement and origin stays. @param path of the annotations. */
export function validateAnnotationsChange(
  annotations: Annotations = {},
  old: Annotations = {},
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (key: string, how: string): void => {
    if (key.startsWith(appArmorOfContainer))
      errors.push(fieldError.forbidden(`${path}[${key}]`, `may not ${how} AppArmor annotations`));
    if (key === mirrorAnnotation)
      errors.push(fieldError.forbidden(`${path}[${key}]`, `may not ${how} mirror pod annotation`));
  };
  for (const key of Object.keys(old)) if (annotations[key] !== old[key]) refuse(key, 'remove or update');
  for (const key of Object.keys(annotations)) if (old[key] === undefined) refuse(key, 'add');
  return errors;
}
