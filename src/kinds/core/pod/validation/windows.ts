import type * as core from '#kinds/generated/types/core_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, subdomainProblems } from '#machinery/names.ts';

const maximumCredentialKibibytes = 64;
const maximumDomain = 256;
const maximumUser = 104;
const netBiosName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const dnsName = new RegExp(`^${dnsLabel}(\\.${dnsLabel})*$`);

/** How processes run where the node is a Windows machine. */
export function validateWindowsOptions(
  options: core.WindowsSecurityContextOptions | undefined,
  path: string,
): FieldError[] {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: credential, runAsUserName } = options;
  const errors = name === undefined ? [] : invalidAll(`${path}.gmsaCredentialSpecName`, name, subdomainProblems(name));
  const at = `${path}.gmsaCredentialSpec`;
  if (credential === '')
    errors.push(fieldError.invalid(at, credential, 'gmsaCredentialSpec cannot be an empty string'));
  else if (credential !== undefined && byteLength(credential) > maximumCredentialKibibytes * 1024)
    errors.push(
      fieldError.invalid(at, credential, `gmsaCredentialSpec size must be under ${maximumCredentialKibibytes} KiB`),
    );
  if (runAsUserName === undefined) return errors;
  return [...errors, ...invalidAll(`${path}.runAsUserName`, runAsUserName, userNameProblems(runAsUserName))];
}

/** `DOMAIN\user`, where the domain may be missing. */
function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (/[\u0000-\u001f\u007f]/.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1)!;
  const domain = parts.length === 2 ? parts[0] : undefined;
  const problems: string[] = [];
  if (domain !== undefined && byteLength(domain) >= maximumDomain)
    problems.push(`runAsUserName's Domain length must be under ${maximumDomain} characters`);
  if (domain !== undefined && !netBiosName.test(domain) && !dnsName.test(domain))
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  if (user === '') problems.push("runAsUserName's User cannot be empty");
  else if (byteLength(user) > maximumUser)
    problems.push(`runAsUserName's User length must not be longer than ${maximumUser} characters`);
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  return problems;
}

type AnyContainer = core.Container | core.EphemeralContainer;

function containersOf(spec: core.PodSpec, path: string): readonly (readonly [AnyContainer, string])[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index) => [container, `${path}.${field}[${index}]`] as const),
  );
}

/** KEP-1981: either all containers of a pod are processes of the host, or none is. */
export function validateHostProcess(spec: core.PodSpec, path: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const errors: FieldError[] = [];
  let [count, ofHost] = [0, 0];
  for (const [container, at] of containersOf(spec, path)) {
    count++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(fieldError.invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, detail));
    }
    if (own ?? ofPod ?? false) ofHost++;
  }
  if (ofHost === 0) return errors;
  if (ofHost !== count) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(fieldError.invalid(path, '', detail));
  }
  if (spec.hostNetwork !== true) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(fieldError.invalid(`${path}.hostNetwork`, false, detail));
  }
  return errors;
}

/** Pods for Linux have nothing of Windows, and the other way round. */
export function validateForOs(spec: core.PodSpec, path: string): FieldError[] {
  if (spec.os?.name === 'linux') return validateForLinux(spec, path);
  return spec.os?.name === 'windows' ? validateForWindows(spec, path) : [];
}

function validateForLinux(spec: core.PodSpec, path: string): FieldError[] {
  const contexts = [[spec, path] as const, ...containersOf(spec, path)];
  return contexts.flatMap(([{ securityContext }, at]) => {
    const detail = 'windows options cannot be set for a linux pod';
    const isSet = securityContext?.windowsOptions !== undefined;
    return isSet ? [fieldError.forbidden(`${at}.securityContext.windowsOptions`, detail)] : [];
  });
}

/** In the order in which upstream looks at them; those without a dot are fields of the specification itself. */
const notOfPods = [
  'securityContext.appArmorProfile',
  'securityContext.seLinuxOptions',
  'hostUsers',
  'hostPID',
  'hostIPC',
  'securityContext.seccompProfile',
  'securityContext.fsGroup',
  'securityContext.fsGroupChangePolicy',
  'securityContext.sysctls',
  'shareProcessNamespace',
  'securityContext.runAsUser',
  'securityContext.runAsGroup',
  'securityContext.supplementalGroups',
  'securityContext.supplementalGroupsPolicy',
  'securityContext.seLinuxChangePolicy',
];
const notOfContainers = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

function validateForWindows(spec: core.PodSpec, path: string): FieldError[] {
  const refuse = (at: string): FieldError => fieldError.forbidden(at, 'cannot be set for a windows pod');
  const errors = notOfPods.filter((field) => isSet(spec, field)).map((field) => refuse(`${path}.${field}`));
  for (const [{ securityContext }, at] of containersOf(spec, path))
    for (const field of notOfContainers)
      if (securityContext?.[field] !== undefined) errors.push(refuse(`${at}.securityContext.${field}`));
  return errors;
}

function isSet(spec: core.PodSpec, field: string): boolean {
  const names = field.split('.');
  const value = names.reduce<unknown>((holder, name) => (holder as Record<string, unknown> | undefined)?.[name], spec);
  if (field === 'hostPID' || field === 'hostIPC') return value === true;
  return field.endsWith('sysctls') ? Array.isArray(value) && value.length > 0 : value !== undefined;
}
