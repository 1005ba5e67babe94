import { Namespace } from '#kinds/generated/handles.ts';
import type { Container, EphemeralContainer, Pod } from '#kinds/generated/types/core_v1.ts';
import { forbidden, internalError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, type PluginEntry, subjectName } from '../plugin.ts';
import type { Finding, PodSubject } from './checks/check.ts';
import { type PodSecurityConfiguration, podSecurityConfiguration } from './configuration.ts';
import { describeFindings, findingsOf } from './evaluate.ts';
import { validateNamespace } from './namespaces.ts';
import {
  formatLevelVersion,
  isFullyPrivileged,
  type LevelVersion,
  labelPrefix,
  type ParsedPolicy,
  parsePolicy,
  sameLevelVersion,
} from './policy.ts';
import { podSubject, templatedResources, templateSubject } from './templates.ts';

/** Pods keep to the standard that their namespace's labels name: KEP-2579. */
export const podSecurity: PluginEntry = {
  name: 'PodSecurity',
  byDefault: true,
  create({ configuration: written }) {
    const configuration = podSecurityConfiguration(written);
    return {
      name: 'PodSecurity',
      operations: ['CREATE', 'UPDATE'],
      resources: ['/namespaces', '/pods', '/pods/ephemeralcontainers', '/pods/resize', ...templatedResources],
      validate(attributes, registry) {
        const { kind } = attributes.request.resource;
        const path = `${kind.group}/${kind.resource}`;
        if (path === '/namespaces') validateNamespace(attributes, registry, configuration);
        else if (path === '/pods') validatePod(attributes, registry, configuration);
        else validateTemplate(attributes, registry, configuration);
      },
    };
  },
};

const parsed = new WeakMap<object, ParsedPolicy>();
const noLabels = {};

/** Policies of namespaces, read once for each state of their labels. */
function policyOf(registry: Registry, name: string, { defaults }: PodSecurityConfiguration): ParsedPolicy | undefined {
  const namespace = registry.resources.of(Namespace).storage!.cache.get(name)?.value.object;
  if (namespace === undefined) return undefined;
  const labels = namespace.metadata.labels;
  if (labels === undefined) return parsePolicy(noLabels, defaults);
  let policy = parsed.get(labels);
  if (policy === undefined) {
    policy = parsePolicy(labels, defaults);
    parsed.set(labels, policy);
  }
  return policy;
}

/** Why a request is not judged at all. */
function exemption({ request }: AdmissionAttributes, { exemptions }: PodSecurityConfiguration): string | undefined {
  if (exemptions.namespaces.includes(request.namespace)) return 'namespace';
  return exemptions.usernames.includes(request.user.name) ? 'user' : undefined;
}

function validatePod(
  attributes: AdmissionAttributes,
  registry: Registry,
  configuration: PodSecurityConfiguration,
): void {
  const { request, operation, oldObject } = attributes;
  const exempt = exemption(attributes, configuration);
  if (exempt !== undefined) {
    request.annotate?.(`${labelPrefix}exempt`, exempt);
    return;
  }
  const found = policyOf(registry, request.namespace, configuration);
  if (found === undefined) throw internalError(`failed to lookup namespace ${JSON.stringify(request.namespace)}`);
  const { policy, errors } = found;
  if (errors.length === 0 && isFullyPrivileged(policy)) {
    request.annotate?.(`${labelPrefix}enforce-policy`, 'privileged:latest');
    return;
  }
  const pod = attributes.object as Pod;
  if (operation === 'UPDATE' && !isSignificant(pod, oldObject as Pod)) return;
  evaluate(attributes, { subject: podSubject(pod), found, configuration, enforces: true });
}

function validateTemplate(
  attributes: AdmissionAttributes,
  registry: Registry,
  configuration: PodSecurityConfiguration,
): void {
  const { request, object } = attributes;
  const exempt = exemption(attributes, configuration);
  if (exempt !== undefined) {
    request.annotate?.(`${labelPrefix}exempt`, exempt);
    return;
  }
  const found = policyOf(registry, request.namespace, configuration);
  if (found === undefined) return;
  const { policy, errors } = found;
  if (errors.length === 0 && policy.warn.level === 'privileged' && policy.audit.level === 'privileged') return;
  const { kind } = request.resource;
  const subject = templateSubject(`${kind.group}/${kind.resource}`, object as ApiObject);
  if (subject !== undefined) evaluate(attributes, { subject, found, configuration, enforces: false });
}

/** @throws ApiError 403 when the pod may not be. */
function evaluate(
  attributes: AdmissionAttributes,
  judged: {
    readonly subject: PodSubject;
    readonly found: ParsedPolicy;
    readonly configuration: PodSecurityConfiguration;
    readonly enforces: boolean;
  },
): void {
  const { subject, found, configuration, enforces } = judged;
  const { request } = attributes;
  const { policy, errors } = found;
  if (configuration.exemptions.runtimeClasses.includes(subject.spec.runtimeClassName ?? '')) {
    request.annotate?.(`${labelPrefix}exempt`, 'runtimeClass');
    return;
  }
  if (errors.length > 0)
    request.annotate?.(
      `${labelPrefix}error`,
      `Failed to parse policy: ${errors.map(({ path, message }) => `${path}: ${message}`).join(', ')}`,
    );
  const enforced = enforces ? findingsOf(policy.enforce, subject) : [];
  const findings = (wanted: LevelVersion): readonly Finding[] =>
    enforces && sameLevelVersion(wanted, policy.enforce) ? enforced : findingsOf(wanted, subject);
  if (enforces) request.annotate?.(`${labelPrefix}enforce-policy`, formatLevelVersion(policy.enforce));
  const audited = request.annotate === undefined ? [] : findings(policy.audit);
  if (audited.length > 0)
    request.annotate?.(`${labelPrefix}audit-violations`, `would ${violates(policy.audit, audited)}`);
  if (enforced.length > 0)
    throw forbidden(
      request.resource.kind,
      subjectName(attributes),
      `violates${violates(policy.enforce, enforced).slice('violate'.length)}`,
    );
  const warned = findings(policy.warn);
  if (warned.length > 0) request.warn(`would ${violates(policy.warn, warned)}`);
}

function violates(policy: LevelVersion, findings: readonly Finding[]): string {
  return `violate PodSecurity ${JSON.stringify(formatLevelVersion(policy))}: ${describeFindings(findings)}`;
}

/** Of what can change in a pod, images and ephemeral containers matter. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const changed = (containers: readonly Container[] = [], before: readonly Container[] = []): boolean =>
    containers.length !== before.length || containers.some(({ image }, index) => image !== before[index]?.image);
  if (changed(pod.spec.containers, old.spec.containers)) return true;
  if (changed(pod.spec.initContainers, old.spec.initContainers)) return true;
  const before = new Map((old.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (pod.spec.ephemeralContainers ?? []).some(
    ({ name, image }: EphemeralContainer) => before.get(name)?.image !== image || !before.has(name),
  );
}
