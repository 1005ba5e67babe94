import { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '#kinds/generated/handles.ts';
import type * as admission from '#kinds/generated/types/admissionregistration_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { DecodeError } from '#machinery/conform.ts';
import { equalValues } from '#machinery/equality.ts';
import { ApiError, forbidden, internalError } from '#machinery/errors.ts';
import type { ApiObject, Json } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import { whenDecided } from '../expressions/authorizer.ts';
import { RequestView } from '../expressions/request.ts';
import { configuresAdmission } from '../matching/matcher.ts';
import { objectsIn, takeObject } from '../objects.ts';
import { type AdmissionAttributes, type AdmissionPlugin, subjectName } from '../plugin.ts';
import { type ActivePolicy, type Invocation, PolicyIndex, selectPolicies } from '../policies/index.ts';
import { type CheckError, checkErrorOf } from '../policies/metrics.ts';
import { type Reinvocation, reinvocationOf } from '../reinvocation.ts';
import { CompiledPolicy, MutationFailure } from './compiled.ts';

type Policy = admission.MutatingAdmissionPolicy;
type Binding = admission.MutatingAdmissionPolicyBinding;
type Active = readonly ActivePolicy<Policy, Binding, CompiledPolicy>[];

const name = 'MutatingAdmissionPolicy';

/** What the first pass leaves for the second. */
interface Notes {
  /** Policies that want to see the object again when it changes, run so far. */
  readonly done: Set<string>;
  /** Those of them after which somebody changed it. */
  readonly outdated: Set<string>;
  /** The object after the last policy. */
  output: Json | undefined;
}

/** https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ (KEP-3962) */
export function mutatingAdmissionPolicy(): AdmissionPlugin {
  const index = new PolicyIndex<Policy, Binding, CompiledPolicy>(
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    (policy) => new CompiledPolicy(policy),
  );
  return {
    name,
    operations: ['CREATE', 'UPDATE', 'CONNECT'],
    start: (registry) => index.start(registry),
    mutate(attributes, registry) {
      const active = index.active(registry);
      if (active.length === 0 || configuresAdmission(attributes.request.resource)) return;
      return new Mutations(attributes, registry).run(active);
    },
  };
}

/** All policies about one request, in one pass. */
class Mutations {
  readonly #attributes: AdmissionAttributes;
  readonly #registry: Registry;
  readonly #reinvocation: Reinvocation;
  readonly #notes: Notes;
  readonly #failures: string[] = [];

  constructor(attributes: AdmissionAttributes, registry: Registry) {
    this.#attributes = attributes;
    this.#registry = registry;
    this.#reinvocation = reinvocationOf(attributes);
    this.#notes = notesOf(this.#reinvocation);
  }

  /** @throws ApiError when a policy that must not fail does. */
  async run(active: Active): Promise<void> {
    const { again } = this.#reinvocation;
    const { done, output } = this.#notes;
    if (again && done.size > 0 && !equalValues(output, this.#attributes.object)) this.#outdate();
    for (const selected of await selectPolicies(active, this.#registry, this.#attributes)) {
      if ('message' in selected) this.#fail(selected.policy, selected.binding, selected.message);
      else for (const param of selected.params) await this.#invoke(selected, param);
    }
    const { object } = this.#attributes;
    if (this.#notes.done.size + this.#notes.outdated.size > 0) {
      this.#notes.output = object === undefined ? undefined : cloneJson(object as unknown as Json);
    }
    this.#refuse();
  }

  #outdate(): void {
    const { done, outdated } = this.#notes;
    for (const id of done) outdated.add(id);
    done.clear();
  }

  async #invoke(invocation: Invocation<Policy, Binding, CompiledPolicy>, param: ApiObject | undefined): Promise<void> {
    const { policy, binding, compiled } = invocation;
    const { signal } = this.#attributes.request;
    const view = await this.#view(invocation);
    const { matches, error } = await whenDecided(() => compiled.matches(view, param, signal));
    if (error !== undefined) this.#fail(policy, binding, error);
    if (!matches) return;
    const id = JSON.stringify([
      policy.metadata.name,
      binding.metadata.name,
      param?.metadata.namespace ?? '',
      param?.metadata.name ?? '',
    ]);
    if (this.#reinvocation.again && !this.#notes.outdated.has(id)) return;
    let changed = false;
    for (let index = 0; index < compiled.mutationCount; index++) {
      if (this.#attributes.object === undefined) break;
      changed = (await this.#mutate(invocation, param, index)) || changed;
    }
    if (changed) {
      this.#outdate();
      this.#reinvocation.wanted = true;
    }
    if (policy.spec.reinvocationPolicy === 'IfNeeded') this.#notes.done.add(id);
  }

  async #view({ resource }: Invocation<Policy, Binding, CompiledPolicy>): Promise<RequestView> {
    const objects = await objectsIn(this.#attributes, resource);
    return new RequestView(this.#registry, this.#attributes, resource, objects);
  }

  /** Whether the mutation changed the object. */
  async #mutate(
    invocation: Invocation<Policy, Binding, CompiledPolicy>,
    param: ApiObject | undefined,
    index: number,
  ): Promise<boolean> {
    const { policy, binding, compiled, resource } = invocation;
    const { signal } = this.#attributes.request;
    const { schema } = resource;
    const view = await this.#view(invocation);
    const { clock } = this.#registry.environment;
    const since = clock.monotonic();
    const count = (error: CheckError): void => {
      const { policies } = this.#registry.admission.metrics;
      const seconds = (clock.monotonic() - since) / 1000;
      policies.evaluated(seconds);
      const [name, through] = [policy.metadata.name ?? '', binding.metadata.name ?? ''];
      policies.checked('mutating', { policy: name, binding: through, error, seconds });
    };
    try {
      const next = await whenDecided(() => compiled.mutate(index, view, param, { signal, schema }));
      count('no_error');
      return await takeObject(this.#attributes, resource, cloneJson(next) as unknown as ApiObject);
    } catch (error) {
      if (error instanceof DecodeError) throw internalError(error.message);
      if (!(error instanceof MutationFailure)) throw error;
      count(checkErrorOf(error.message));
      this.#fail(policy, binding, error.message);
      return false;
    }
  }

  #fail({ metadata, spec }: Policy, binding: Binding | undefined, message: string): void {
    if (spec.failurePolicy === 'Ignore') return;
    const who =
      binding === undefined
        ? `policy "${metadata.name}"`
        : `policy '${metadata.name}' with binding '${binding.metadata.name}'`;
    this.#failures.push(`${who} denied request: ${message}`);
  }

  #refuse(): void {
    const [first] = this.#failures;
    if (first === undefined) return;
    const { status } = forbidden(this.#attributes.request.resource.kind, subjectName(this.#attributes), '');
    throw new ApiError(403, 'Invalid', first, {
      ...status.details,
      causes: this.#failures.map((message) => ({ message })),
    });
  }
}

function notesOf({ notes }: Reinvocation): Notes {
  let own = notes.get(name) as Notes | undefined;
  if (own === undefined) {
    own = { done: new Set(), outdated: new Set(), output: undefined };
    notes.set(name, own);
  }
  return own;
}
