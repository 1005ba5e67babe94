import { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '#kinds/generated/handles.ts';
import type * as admission from '#kinds/generated/types/admissionregistration_v1.ts';
import { ApiError, forbidden, type StatusReason } from '#machinery/errors.ts';
import { stringifyJson } from '#machinery/json.ts';
import type { Registry } from '../../registry/registry.ts';
import { whenDecided } from '../expressions/authorizer.ts';
import { RequestView } from '../expressions/request.ts';
import { configuresAdmission } from '../matching/matcher.ts';
import { objectsIn } from '../objects.ts';
import { type AdmissionAttributes, type AdmissionPlugin, subjectName } from '../plugin.ts';
import { type ActivePolicy, type Invocation, PolicyIndex, selectPolicies } from '../policies/index.ts';
import { checkErrorOf } from '../policies/metrics.ts';
import { CompiledPolicy, type Verdict } from './compiled.ts';

type Policy = admission.ValidatingAdmissionPolicy;
type Binding = admission.ValidatingAdmissionPolicyBinding;

/** A refusal, by which policy and through which binding. */
interface Denial {
  readonly policy: Policy;
  readonly binding: Binding | undefined;
  readonly message: string;
  readonly reason: StatusReason | undefined;
}

/** What the audit log is told of a validation that failed. */
interface AuditedFailure {
  readonly message: string;
  readonly policy: string;
  readonly binding: string;
  readonly expressionIndex: number;
  readonly validationActions: readonly string[];
}

const maxAuditedFailures = 50;
const maxAnnotationCharacters = 10 * 1024;
const auditKey = 'validation.policy.admission.k8s.io/validation_failure';

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

/** https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/ */
export function validatingAdmissionPolicy(): AdmissionPlugin {
  const index = new PolicyIndex<Policy, Binding, CompiledPolicy>(
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    (policy) => new CompiledPolicy(policy),
  );
  return {
    name: 'ValidatingAdmissionPolicy',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    start: (registry) => index.start(registry),
    validate(attributes, registry) {
      const active = index.active(registry);
      if (active.length === 0 || configuresAdmission(attributes.request.resource)) return;
      return new Validation(attributes, registry).run(active);
    },
  };
}

/** All policies about one request. */
class Validation {
  readonly #attributes: AdmissionAttributes;
  readonly #registry: Registry;
  readonly #denials: Denial[] = [];
  readonly #audited: AuditedFailure[] = [];
  /** Values by policy and key; bindings may say different things. */
  readonly #annotations = new Map<string, Set<string>>();

  constructor(attributes: AdmissionAttributes, registry: Registry) {
    this.#attributes = attributes;
    this.#registry = registry;
  }

  /** @throws ApiError when a policy refuses the request. */
  async run(active: readonly ActivePolicy<Policy, Binding, CompiledPolicy>[]): Promise<void> {
    for (const selected of await selectPolicies(active, this.#registry, this.#attributes)) {
      const { policy, binding } = selected;
      if (!('message' in selected)) await this.#invoke(selected);
      else if (policy.spec.failurePolicy !== 'Ignore')
        this.#denials.push({ policy, binding, message: selected.message, reason: undefined });
    }
    this.#publish();
    const [first] = this.#denials;
    if (first !== undefined) throw this.#refusal(first);
  }

  async #invoke({ policy, binding, compiled, resource, params }: Invocation<Policy, Binding, CompiledPolicy>) {
    const { signal } = this.#attributes.request;
    const objects = await objectsIn(this.#attributes, resource);
    for (const param of params) {
      const view = new RequestView(this.#registry, this.#attributes, resource, objects);
      const { clock } = this.#registry.environment;
      const since = clock.monotonic();
      const verdict = await whenDecided(() => compiled.judge(view, param, signal));
      this.#count(policy, binding, verdict, (clock.monotonic() - since) / 1000);
      this.#take(policy, binding, verdict);
    }
  }

  #count(policy: Policy, binding: Binding, { decisions }: Verdict, seconds: number): void {
    const { policies } = this.#registry.admission.metrics;
    policies.evaluated(seconds);
    const labels = { policy: policy.metadata.name ?? '', binding: binding.metadata.name ?? '', seconds };
    for (const { deny, failed, message } of decisions) {
      const error = failed === true ? checkErrorOf(message) : 'no_error';
      if (!deny && failed === true) policies.checked('validating', { ...labels, error, action: 'allow' });
      if (!deny) continue;
      for (const action of binding.spec.validationActions)
        policies.checked('validating', { ...labels, error, action: action.toLowerCase() });
    }
  }

  #take(policy: Policy, binding: Binding, { decisions, annotations }: Verdict): void {
    const policyName = policy.metadata.name ?? '';
    const bindingName = binding.metadata.name ?? '';
    const { validationActions } = binding.spec;
    for (const [expressionIndex, { deny, message, reason }] of decisions.entries()) {
      if (!deny) continue;
      if (validationActions.includes('Deny')) this.#denials.push({ policy, binding, message, reason });
      if (validationActions.includes('Audit')) {
        const named = { message, policy: binding.spec.policyName, binding: bindingName };
        this.#audited.push({ ...named, expressionIndex, validationActions });
      }
      if (validationActions.includes('Warn')) {
        const who = `ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}'`;
        this.#attributes.request.warn(`Validation failed for ${who}: ${message}`);
      }
    }
    for (const { key, value, error } of annotations) {
      if (value === undefined) {
        this.#denials.push({ policy, binding, message: error, reason: undefined });
        continue;
      }
      const name = `${policyName}/${key}`;
      const values = this.#annotations.get(name) ?? new Set();
      this.#annotations.set(name, values.add(value.slice(0, maxAnnotationCharacters)));
    }
  }

  #publish(): void {
    const { annotate } = this.#attributes.request;
    if (annotate === undefined) return;
    for (const [name, values] of this.#annotations) annotate(name, [...values].join(', '));
    if (this.#audited.length > 0) annotate(auditKey, stringifyJson(this.#audited.slice(0, maxAuditedFailures)));
  }

  #refusal({ policy, binding, message, reason = 'Invalid' }: Denial): ApiError {
    const through = binding === undefined ? '' : ` with binding '${binding.metadata.name}'`;
    const why = `ValidatingAdmissionPolicy '${policy.metadata.name}'${through} denied request: ${message}`;
    const { kind } = this.#attributes.request.resource;
    const { status } = forbidden(kind, subjectName(this.#attributes), why);
    return new ApiError(codes[reason] ?? 422, reason, status.message ?? '', {
      ...status.details,
      causes: [{ message: why }],
    });
  }
}
