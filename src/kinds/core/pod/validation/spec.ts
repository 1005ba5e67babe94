import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf, requiredOneOf, validateLabels } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, labelKeyProblems, rangeMessage, subdomainProblems } from '#machinery/names.ts';
import {
  type PodFacts,
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './containers.ts';
import { validateContainerResourceName, validateResourceAmount } from './resources.ts';
import { validateAffinity, validateSpreadConstraints, validateTolerations } from './scheduling.ts';
import { validatePodSecurity } from './security.ts';
import { validateVolumes } from './volumes.ts';

const maximumInt32 = 2 ** 31 - 1;
const maximumNameservers = 3;
const maximumSearches = 32;

/** Everything wrong with a pod's specification, in a pod (`spec`) or a template (`spec.template.spec`). */
export function validatePodSpec(spec: core.PodSpec, path: string): FieldError[] {
  const { known, errors } = validateVolumes(spec.volumes, `${path}.volumes`);
  const pod: PodFacts = {
    volumes: known,
    claims: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
    gracePeriod: spec.terminationGracePeriodSeconds,
    hostUsers: spec.hostUsers ?? true,
    restartPolicy: spec.restartPolicy,
  };
  return [
    ...errors,
    ...validateContainers(spec.containers, `${path}.containers`, pod),
    ...validateInitContainers(spec.initContainers, spec.containers ?? [], `${path}.initContainers`, pod),
    ...validateEphemeralContainers(spec, `${path}.ephemeralContainers`, pod),
    ...validateHostNetworkPorts(spec, path),
    ...requiredOneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...requiredOneOf(
      spec.dnsPolicy,
      ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
      `${path}.dnsPolicy`,
    ),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...each(spec.readinessGates, `${path}.readinessGates`, ({ conditionType }, at) =>
      invalidAll(`${at}.conditionType`, conditionType, labelKeyProblems(conditionType)),
    ),
    ...validateSchedulingGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateSpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostUsers(spec, path),
    ...validateNames(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateDeadline(spec.activeDeadlineSeconds, `${path}.activeDeadlineSeconds`),
    ...oneOf(spec.preemptionPolicy, ['Never', 'PreemptLowerPriority'], `${path}.preemptionPolicy`),
    ...validateOverhead(spec.overhead, `${path}.overhead`),
    ...validateHostAliases(spec.hostAliases, `${path}.hostAliases`),
    ...(spec.os === undefined ? [] : requiredOneOf(spec.os.name, ['linux', 'windows'], `${path}.os.name`)),
  ];
}

function validateNames(spec: core.PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName'] as const) {
    const name = spec[field] ?? '';
    if (name !== '') errors.push(...invalidAll(`${path}.${field}`, name, subdomainProblems(name)));
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const name = spec[field] ?? '';
    if (name !== '') errors.push(...invalidAll(`${path}.${field}`, name, label1123Problems(name)));
  }
  return errors;
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
  return each(aliases, path, ({ hostnames }, at) =>
    (hostnames ?? []).flatMap((name) => invalidAll(`${at}.hostnames`, name, subdomainProblems(name))),
  );
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
  if (searches.length > maximumSearches) {
    const detail = `must not have more than ${maximumSearches} search paths`;
    errors.push(fieldError.invalid(`${path}.searches`, searches, detail));
  }
  errors.push(
    ...each(options, `${path}.options`, ({ name = '' }, at) =>
      name === '' ? [fieldError.required(at, 'must not be empty')] : [],
    ),
  );
  return errors;
}
