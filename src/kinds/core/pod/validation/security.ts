import type * as core from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { rangeMessage } from '#machinery/names.ts';
import { descendingPath } from './volumes.ts';
import { validateWindowsOptions } from './windows.ts';

const maximumId = 2 ** 31 - 1;
const maximumSysctlLength = 253;
const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlPattern = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

/** An identity of a user or a group. */
export function validId(id: number | undefined, path: string): FieldError[] {
  const isGood = id === undefined || (id >= 0 && id <= maximumId);
  return isGood ? [] : invalidAll(path, id, [rangeMessage(0, maximumId)]);
}

/** What holds for all containers of a pod. */
export function validatePodSecurity(spec: core.PodSpec, path: string): FieldError[] {
  const context = spec.securityContext;
  const errors: FieldError[] = [];
  if (context === undefined) return errorsOfSharing(spec, path);
  errors.push(
    ...validId(context.fsGroup, `${path}.fsGroup`),
    ...validId(context.runAsUser, `${path}.runAsUser`),
    ...validId(context.runAsGroup, `${path}.runAsGroup`),
    ...each(context.supplementalGroups, `${path}.supplementalGroups`, validId),
    ...errorsOfSharing(spec, path),
    ...validateSysctls(context.sysctls, spec, `${path}.sysctls`),
    ...oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
    ...oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`),
    ...oneOf(context.seLinuxChangePolicy, ['Recursive'], `${path}.seLinuxChangePolicy`),
  );
  return errors;
}

function errorsOfSharing({ shareProcessNamespace, hostPID }: core.PodSpec, path: string): FieldError[] {
  if (shareProcessNamespace !== true || hostPID !== true) return [];
  const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
  return [fieldError.invalid(`${path}.shareProcessNamespace`, true, detail)];
}

function validateSysctls(sysctls: readonly core.Sysctl[] | undefined, spec: core.PodSpec, path: string): FieldError[] {
  const names = new Set<string>();
  return each(sysctls, path, ({ name = '' }, at) => {
    const errors: FieldError[] = [];
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    else if (name.length > maximumSysctlLength || !sysctlName.test(name)) {
      const detail = `must have at most ${maximumSysctlLength} characters and match regex ${sysctlPattern}`;
      errors.push(fieldError.invalid(`${at}.name`, name, detail));
    } else if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    const plain = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && plain.startsWith('net.')) {
      errors.push(fieldError.invalid(`${at}.name`, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC === true && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(plain)) {
      errors.push(fieldError.invalid(`${at}.name`, name, "may not be specified when 'hostIPC' is true"));
    }
    names.add(name);
    return errors;
  });
}

function validateSeccomp(profile: core.SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (type === '') errors.push(fieldError.required(`${path}.type`, 'type is required when seccompProfile is set'));
  else errors.push(...oneOf(type, profileTypes, `${path}.type`));
  if (type === 'Localhost') {
    if (localhostProfile === undefined) {
      errors.push(fieldError.required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    } else errors.push(...descendingPath(localhostProfile, `${path}.localhostProfile`));
  } else if (localhostProfile !== undefined) {
    const detail = 'can only be set when seccomp type is Localhost';
    errors.push(fieldError.invalid(`${path}.localhostProfile`, goStruct('core.SeccompProfile', profile), detail));
  }
  return errors;
}

/** What a container is confined by. */
export function validateAppArmor(profile: core.AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  if (type === '') return [fieldError.required(`${path}.type`, 'type is required when appArmorProfile is set')];
  if (type === 'Localhost') {
    const name = localhostProfile ?? '';
    if (name !== name.trim()) return [fieldError.invalid(at, name, 'must not be padded with whitespace')];
    return name === '' ? [fieldError.required(at, 'must be set when AppArmor type is Localhost')] : [];
  }
  if (!profileTypes.includes(type)) return oneOf(type, profileTypes, `${path}.type`);
  if (localhostProfile === undefined) return [];
  return [fieldError.invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost')];
}

/** What holds for one container. */
export function validateContainerSecurity(
  context: core.SecurityContext | undefined,
  path: string,
  hostUsers: boolean,
): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validId(context.runAsUser, `${path}.runAsUser`),
    ...validId(context.runAsGroup, `${path}.runAsGroup`),
    ...oneOf(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`),
  ];
  if (hostUsers && context.procMount === 'Unmasked') {
    errors.push(
      fieldError.invalid(`${path}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'),
    );
  }
  errors.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(fieldError.invalid(path, goStruct('core.SecurityContext', context), detail));
    }
    if (context.capabilities?.add?.some((name) => name === 'CAP_SYS_ADMIN') === true) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(fieldError.invalid(path, goStruct('core.SecurityContext', context), detail));
    }
  }
  return [
    ...errors,
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ];
}
