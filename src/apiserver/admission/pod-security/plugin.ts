import { Namespace } from '#kinds/generated/handles.ts';
import type { Container, EphemeralContainer, Pod } from '#kinds/generated/types/core_v1.ts';
import { forbidden, internalError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, type PluginEntry, subjectName } from '../plugin.ts';
import type { Finding, PodSubject } from './checks/check.ts';
import { type PodSecurityConfiguration, podSecurityConfiguration } from './configuration.ts';
import { describeFindings, findingsOf } from './evaluate.ts';
import { PodSecurityMetrics } from './metrics.ts';
import { validateNamespace } from './namespaces.ts';
import {
  formatLevelVersion,
  isFullyPrivileged,
  type LevelVersion,
  labelPrefix,
  type ParsedPolicy,
  parsePolicy,
  privilegedPolicy,
  sameLevelVersion,
} from './policy.ts';
import { podSubject, templatedResources, templateSubject } from './templates.ts';

/** Pods keep to the standard that their namespace's labels name: KEP-2579. */
export const podSecurity: PluginEntry = {
  name: 'PodSecurity',
  byDefault: true,
  create({ configuration: written }) {
    const configuration = podSecurityConfiguration(written);
    let judge: Judge;
    return {
      name: 'PodSecurity',
      operations: ['CREATE', 'UPDATE'],
      resources: ['/namespaces', '/pods', '/pods/ephemeralcontainers', '/pods/resize', ...templatedResources],
      start(registry) {
        judge = { registry, configuration, metrics: new PodSecurityMetrics(registry.admission.metrics.registry) };
      },
      validate(attributes, registry) {
        const { kind } = attributes.request.resource;
        const path = `${kind.group}/${kind.resource}`;
        if (path === '/namespaces') validateNamespace(attributes, registry, configuration);
        else if (path === '/pods') validatePod(attributes, judge);
        else validateTemplate(attributes, judge);
      },
    };
  },
};

/** What requests are judged with. */
interface Judge {
  readonly registry: Registry;
  readonly configuration: PodSecurityConfiguration;
  readonly metrics: PodSecurityMetrics;
}

const parsed = new WeakMap<object, ParsedPolicy>();
const noLabels = {};

/** Policies of namespaces, read once for each state of their labels. */
function policyOf({ registry, configuration: { defaults } }: Judge, name: string): ParsedPolicy | undefined {
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

/** Whether a request is not judged at all, because of its namespace or user. */
function isExempt(attributes: AdmissionAttributes, { configuration: { exemptions }, metrics }: Judge): boolean {
  const { request } = attributes;
  const isNamespace = exemptions.namespaces.includes(request.namespace);
  if (!isNamespace && !exemptions.usernames.includes(request.user.name)) return false;
  request.annotate?.(`${labelPrefix}exempt`, isNamespace ? 'namespace' : 'user');
  metrics.exempted(attributes);
  return true;
}

function validatePod(attributes: AdmissionAttributes, judge: Judge): void {
  const { request, operation, oldObject } = attributes;
  if (isExempt(attributes, judge)) return;
  const found = policyOf(judge, request.namespace);
  if (found === undefined) {
    judge.metrics.failed(attributes, { fatal: true });
    throw internalError(`failed to lookup namespace ${JSON.stringify(request.namespace)}`);
  }
  const { policy, errors } = found;
  if (errors.length === 0 && isFullyPrivileged(policy)) {
    request.annotate?.(`${labelPrefix}enforce-policy`, 'privileged:latest');
    judge.metrics.evaluated(attributes, 'enforce', 'allow', privilegedPolicy.enforce);
    return;
  }
  const pod = attributes.object as Pod;
  if (operation === 'UPDATE' && !isSignificant(pod, oldObject as Pod)) return;
  evaluate(attributes, judge, { subject: podSubject(pod), found, enforces: true });
}

function validateTemplate(attributes: AdmissionAttributes, judge: Judge): void {
  const { request, object } = attributes;
  if (isExempt(attributes, judge)) return;
  const found = policyOf(judge, request.namespace);
  if (found === undefined) return;
  const { policy, errors } = found;
  if (errors.length === 0 && policy.warn.level === 'privileged' && policy.audit.level === 'privileged') return;
  const { kind } = request.resource;
  const subject = templateSubject(`${kind.group}/${kind.resource}`, object as ApiObject);
  if (subject !== undefined) evaluate(attributes, judge, { subject, found, enforces: false });
}

/** @throws ApiError 403 when the pod may not be. */
function evaluate(
  attributes: AdmissionAttributes,
  { configuration, metrics }: Judge,
  judged: { readonly subject: PodSubject; readonly found: ParsedPolicy; readonly enforces: boolean },
): void {
  const { subject, found, enforces } = judged;
  const { request } = attributes;
  const { policy, errors } = found;
  if (configuration.exemptions.runtimeClasses.includes(subject.spec.runtimeClassName ?? '')) {
    request.annotate?.(`${labelPrefix}exempt`, 'runtimeClass');
    metrics.exempted(attributes);
    return;
  }
  if (errors.length > 0) {
    request.annotate?.(
      `${labelPrefix}error`,
      `Failed to parse policy: ${errors.map(({ path, message }) => `${path}: ${message}`).join(', ')}`,
    );
    metrics.failed(attributes, { fatal: false });
  }
  const enforced = enforces ? findingsOf(policy.enforce, subject) : [];
  const findings = (wanted: LevelVersion): readonly Finding[] =>
    enforces && sameLevelVersion(wanted, policy.enforce) ? enforced : findingsOf(wanted, subject);
  if (enforces) {
    request.annotate?.(`${labelPrefix}enforce-policy`, formatLevelVersion(policy.enforce));
    metrics.evaluated(attributes, 'enforce', enforced.length > 0 ? 'deny' : 'allow', policy.enforce);
  }
  const audited = findings(policy.audit);
  if (audited.length > 0) {
    request.annotate?.(`${labelPrefix}audit-violations`, `would ${violates(policy.audit, audited)}`);
    metrics.evaluated(attributes, 'audit', 'deny', policy.audit);
  }
  if (enforced.length > 0)
    throw forbidden(
      request.resource.kind,
      subjectName(attributes),
      `violates${violates(policy.enforce, enforced).slice('violate'.length)}`,
    );
  const warned = findings(policy.warn);
  if (warned.length === 0) return;
  request.warn(`would ${violates(policy.warn, warned)}`);
  metrics.evaluated(attributes, 'warn', 'deny', policy.warn);
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
