import type * as core from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll, oneOf, validateLabels } from '#kinds/validation/common.ts';
import { validateResourceName } from '#kinds/validation/resource-names.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { ipProblems } from '#machinery/ip.ts';
import {
  byteLength,
  label1123Problems,
  labelKeyProblems,
  rangeMessage,
  subdomainProblems,
  underscoreSubdomainProblems,
} from '#machinery/names.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import {
  type PodFacts,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers.ts';
import { validateFileKeyVolumes } from './environment.ts';
import { validateContainerResourceName, validateResourceAmount, validateResources } from './resources.ts';
import { validateAffinity, validateSpreadConstraints, validateTolerations } from './scheduling.ts';
import { validatePodSecurity } from './security.ts';
import { validateVolumes } from './volumes.ts';
import { validateForOs, validateHostProcess } from './windows.ts';

const maximumInt32 = 2 ** 31 - 1;
const maximumNameservers = 3;
const maximumSearches = 32;
const maximumSearchCharacters = 2048;
const maximumHostnameBytes = 64;

/** Everything wrong with a pod's specification, in a pod (`spec`) or a template (`spec.template.spec`). */
export function validatePodSpec(spec: core.PodSpec, path: string): FieldError[] {
  const { known, errors } = validateVolumes(spec.volumes, `${path}.volumes`);
  const pod: PodFacts = {
    volumes: known,
    claims: new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter((name) => name !== '')),

    gracePeriod: spec.terminationGracePeriodSeconds,
    hostUsers: spec.hostUsers ?? true,
    restartPolicy: spec.restartPolicy,
  };
  return [
    ...errors,
    ...validateResourceClaims(spec.resourceClaims, `${path}.resourceClaims`),
    ...validateContainers(spec.containers, `${path}.containers`, pod),
    ...validateInitContainers(spec.initContainers, spec.containers ?? [], `${path}.initContainers`, pod),
    ...validateEphemeralContainers(spec, `${path}.ephemeralContainers`, pod),
    ...validatePodResources(spec, pod, `${path}.resources`),
    ...validateHostNetworkPorts(spec, path),
    ...inOrder(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...inOrder(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], `${path}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...each(spec.readinessGates, `${path}.readinessGates`, ({ conditionType }, at) =>
      invalidAll(`${at}.conditionType`, conditionType, labelKeyProblems(conditionType)),
    ),
    ...validateSchedulingGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateSpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostname(spec, `${path}.hostnameOverride`),
    ...subdomains(spec, ['serviceAccountName', 'nodeName'], path),
    ...validateDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...(['hostname', 'subdomain'] as const).flatMap((field) =>
      (spec[field] ?? '') === '' ? [] : invalidAll(`${path}.${field}`, spec[field], label1123Problems(spec[field]!)),
    ),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases, `${path}.hostAliases`),
    ...subdomains(spec, ['priorityClassName'], path),
    ...(spec.runtimeClassName === undefined
      ? []
      : invalidAll(`${path}.runtimeClassName`, spec.runtimeClassName, subdomainProblems(spec.runtimeClassName))),
    ...(spec.preemptionPolicy === undefined
      ? []
      : inOrder(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`)),
    ...validateOverhead(spec.overhead, `${path}.overhead`),
    ...validateOs(spec.os, `${path}.os`),
    ...validateForOs(spec, path),
    ...validateFileKeyVolumes(spec, path),
  ];
}

/** One of a few words, which upstream tells in their order. */
function inOrder(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  if (value === undefined || value === '') return [fieldError.required(path)];
  return allowed.includes(value) ? [] : [fieldError.notSupportedInOrder(path, value, allowed)];
}

function validateOs(os: core.PodOS | undefined, path: string): FieldError[] {
  if (os === undefined) return [];
  return (os.name ?? '') === '' ? [fieldError.required(`${path}.name`)] : oneOf(os.name, ['linux', 'windows'], path);
}

function validateResourceClaims(claims: readonly core.PodResourceClaim[] | undefined, path: string): FieldError[] {
  const names = new Set<string>();
  return each(claims, path, (claim, at) => {
    const { name = '', resourceClaimName: existing, resourceClaimTemplateName: template } = claim;
    const errors: FieldError[] = [];
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    else if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    else errors.push(...invalidAll(`${at}.name`, name, label1123Problems(name)));
    names.add(name);
    const shown = goStruct('core.PodResourceClaim', claim);
    if (existing !== undefined && template !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(fieldError.invalid(at, shown, detail));
    }
    if (existing === undefined && template === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(fieldError.invalid(at, shown, detail));
    }
    for (const [field, value] of Object.entries({ resourceClaimName: existing, resourceClaimTemplateName: template }))
      if (value !== undefined) errors.push(...invalidAll(`${at}.${field}`, value, subdomainProblems(value)));
    return errors;
  });
}

const podResources = ['cpu', 'hugepages-', 'memory'];

function validatePodResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (errors.length > 0 || podResources.includes(name) || name.startsWith('hugepages-')) return errors;
  return [fieldError.notSupported(path, name, podResources)];
}

/** Requests and limits of the pod as a whole (KEP-2837), which those of its containers must fit into. */
function validatePodResources(spec: core.PodSpec, { claims }: PodFacts, path: string): FieldError[] {
  const { resources, os } = spec;
  if (resources === undefined) return [];
  if (os?.name === 'windows') return [fieldError.forbidden(path, 'may not be set for a windows pod')];
  const detail = 'claims may not be set for Resources at pod-level';
  return [
    ...(resources.claims === undefined && emptiedFields(resources)['claims'] === undefined
      ? []
      : [fieldError.forbidden(`${path}.claims`, detail)]),
    ...validateResources(resources, claims, path, validatePodResourceName),
  ];
}

function validateHostname(spec: core.PodSpec, path: string): FieldError[] {
  const { hostnameOverride: name } = spec;
  if (name === undefined) return [];
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN === true)
    errors.push(fieldError.forbidden(path, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork === true)
    errors.push(fieldError.forbidden(path, 'may not be specified when hostNetwork is true'));
  if (byteLength(name) > maximumHostnameBytes) errors.push(fieldError.tooLong(path, maximumHostnameBytes));
  return [...errors, ...invalidAll(path, name, subdomainProblems(name))];
}

function subdomains(
  spec: core.PodSpec,
  fields: readonly ('serviceAccountName' | 'nodeName' | 'priorityClassName')[],
  path: string,
): FieldError[] {
  return fields.flatMap((field) => {
    const name = spec[field] ?? '';
    return name === '' ? [] : invalidAll(`${path}.${field}`, name, subdomainProblems(name));
  });
}

function validateDeadline(seconds: number | undefined, path: string): FieldError[] {
  const isGood = seconds === undefined || (seconds >= 1 && seconds <= maximumInt32);
  return isGood ? [] : [fieldError.invalid(path, seconds, rangeMessage(1, maximumInt32))];
}

function validateHostNetworkPorts(spec: core.PodSpec, path: string): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  return each(spec.containers, `${path}.containers`, (container, at) =>
    each(container.ports, `${at}.ports`, ({ hostPort = 0, containerPort }, port) =>
      hostPort === containerPort || hostPort === 0
        ? []
        : [fieldError.invalid(`${port}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')],
    ),
  );
}

function validateHostUsers(spec: core.PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const errors: FieldError[] = [];
  if (spec.hostNetwork === true) errors.push(fieldError.forbidden(`${path}.hostNetwork`, 'when `hostUsers` is false'));
  if (spec.hostPID === true) errors.push(fieldError.forbidden(`${path}.HostPID`, 'when `hostUsers` is false'));
  if (spec.hostIPC === true) errors.push(fieldError.forbidden(`${path}.HostIPC`, 'when `hostUsers` is false'));
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const)
    for (const [index, { volumeDevices = [] }] of (spec[list] ?? []).entries())
      if (volumeDevices.length > 0)
        errors.push(fieldError.forbidden(`${path}.${list}[${index}].volumeDevices`, 'when `hostUsers` is false'));
  return errors;
}

function validateSchedulingGates(gates: readonly core.PodSchedulingGate[] | undefined, path: string): FieldError[] {
  const names = new Set<string>();
  return each(gates, path, ({ name }, at) => {
    const errors = invalidAll(`${at}`, name, labelKeyProblems(name));
    if (names.has(name)) errors.push(fieldError.duplicate(at, name));
    names.add(name);
    return errors;
  });
}

function validateOverhead(overhead: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.entries(overhead ?? {}).flatMap(([name, amount]) => [
    ...validateContainerResourceName(name, `${path}.limits[${name}]`),
    ...validateResourceAmount(name, amount, `${path}.limits[${name}]`),
  ]);
}

function validateHostAliases(aliases: readonly core.HostAlias[] | undefined, path: string): FieldError[] {
  return each(aliases, path, ({ ip = '', hostnames }, at) => [
    ...invalidAll(`${at}.ip`, ip, ipProblems(ip)),
    ...each(hostnames, `${at}.hostnames`, (name, place) => invalidAll(place, name, subdomainProblems(name))),
  ]);
}

/** A domain that names are looked up in; parts of it may begin with an underscore. */
function validateSearch(search: string, path: string): FieldError[] {
  const domain = search.replace(/\.$/, '');
  return search === '.' ? [] : invalidAll(path, domain, underscoreSubdomainProblems(domain));
}

function validateDns({ dnsPolicy, dnsConfig }: core.PodSpec, path: string): FieldError[] {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) {
      return [fieldError.required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    }
    if ((dnsConfig.nameservers ?? []).length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return [fieldError.required(`${path}.nameservers`, detail)];
    }
  }
  if (dnsConfig === undefined) return [];
  const { nameservers = [], searches = [], options } = dnsConfig;
  const errors: FieldError[] = [];
  if (nameservers.length > maximumNameservers) {
    const detail = `must not have more than ${maximumNameservers} nameservers`;
    errors.push(fieldError.invalid(`${path}.nameservers`, nameservers, detail));
  }
  errors.push(...each(nameservers, `${path}.nameservers`, (server, at) => invalidAll(at, server, ipProblems(server))));
  if (searches.length > maximumSearches) {
    const detail = `must not have more than ${maximumSearches} search paths`;
    errors.push(fieldError.invalid(`${path}.searches`, searches, detail));
  }
  if (byteLength(searches.join(' ')) > maximumSearchCharacters) {
    const detail = `must not have more than ${maximumSearchCharacters} characters (including spaces) in the search list`;
    errors.push(fieldError.invalid(`${path}.searches`, searches, detail));
  }
  errors.push(...each(searches, `${path}.searches`, validateSearch));
  errors.push(
    ...each(options, `${path}.options`, ({ name = '' }, at) =>
      name === '' ? [fieldError.required(at, 'must not be empty')] : [],
    ),
  );
  return errors;
}
