import type { MatchResources, ParamKind, ParamRef } from '#kinds/generated/types/admissionregistration_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { RequestMatcher } from '../matching/matcher.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { collectParams, paramResource } from './params.ts';

/** What validating and mutating policies have in common. */
export interface PolicyObject extends ApiObject {
  readonly spec: {
    readonly failurePolicy?: string;
    readonly matchConstraints?: MatchResources;
    readonly paramKind?: ParamKind;
  };
}

export interface BindingObject extends ApiObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  };
}

/** A binding and the requests that it is about. */
export interface BoundPolicy<Binding extends BindingObject> {
  readonly binding: Binding;
  readonly matcher: RequestMatcher | undefined;
}

/** A policy with its bindings, ready for requests. */
export interface ActivePolicy<Policy extends PolicyObject, Binding extends BindingObject, Compiled> {
  readonly policy: Policy;
  readonly matcher: RequestMatcher;
  readonly bindings: readonly BoundPolicy<Binding>[];
  /** Compiled when a request needs it first. */
  readonly compiled: () => Compiled;
}

/** The policies that are bound, kept up to date with the objects that say so. */
export class PolicyIndex<Policy extends PolicyObject, Binding extends BindingObject, Compiled> {
  readonly #compile: (policy: Policy) => Compiled;
  readonly #policies: Kind<Policy>;
  readonly #bindings: Kind<Binding>;
  readonly #compiled = new WeakMap<Policy, Compiled>();
  #active: readonly ActivePolicy<Policy, Binding, Compiled>[] | undefined;

  constructor(policies: Kind<Policy>, bindings: Kind<Binding>, compile: (policy: Policy) => Compiled) {
    this.#policies = policies;
    this.#bindings = bindings;
    this.#compile = compile;
  }

  /** Follows the caches from now on. */
  start({ resources }: Registry): void {
    const forget = (): void => {
      this.#active = undefined;
    };
    resources.of(this.#policies).storage!.cache.onEvent(forget);
    resources.of(this.#bindings).storage!.cache.onEvent(forget);
    resources.onChange(forget);
  }

  /** Bound policies, in order of their names. */
  active(registry: Registry): readonly ActivePolicy<Policy, Binding, Compiled>[] {
    this.#active ??= this.#build(registry);
    return this.#active;
  }

  #build(registry: Registry): readonly ActivePolicy<Policy, Binding, Compiled>[] {
    const { resources } = registry;
    const objects = <T extends ApiObject>(kind: Kind<T>): T[] =>
      Array.from(resources.of(kind).storage!.cache.entries(), ({ value }) => value.object as T);
    const bindings = Map.groupBy(objects(this.#bindings), ({ spec }) => spec.policyName ?? '');
    return objects(this.#policies).flatMap((policy) => {
      const own = bindings.get(policy.metadata.name ?? '');
      if (own === undefined) return [];
      return [
        {
          policy,
          matcher: matcherOf(policy.spec.matchConstraints, 'nothing'),
          bindings: own.map((binding) => ({
            binding,
            matcher:
              binding.spec.matchResources === undefined
                ? undefined
                : matcherOf(binding.spec.matchResources, 'everything'),
          })),
          compiled: () => this.#compiledOf(policy, registry),
        },
      ];
    });
  }

  #compiledOf(policy: Policy, { admission, environment }: Registry): Compiled {
    let compiled = this.#compiled.get(policy);
    if (compiled === undefined) {
      compiled = admission.metrics.policies.compiling(environment.clock, () => this.#compile(policy));
      this.#compiled.set(policy, compiled);
    }
    return compiled;
  }
}

function matcherOf(match: MatchResources | undefined, withoutRules: 'everything' | 'nothing'): RequestMatcher {
  return new RequestMatcher({
    rules: match?.resourceRules ?? [],
    excludeRules: match?.excludeResourceRules ?? [],
    withoutRules,
    ...(match?.matchPolicy === undefined ? {} : { matchPolicy: match.matchPolicy }),
    ...(match?.namespaceSelector === undefined ? {} : { namespaceSelector: match.namespaceSelector }),
    ...(match?.objectSelector === undefined ? {} : { objectSelector: match.objectSelector }),
  });
}

/** One policy that has to be asked about a request: as often as its binding has params. */
export interface Invocation<Policy extends PolicyObject, Binding extends BindingObject, Compiled> {
  readonly policy: Policy;
  readonly binding: Binding;
  readonly compiled: Compiled;
  /** In whose version the policy sees the objects. */
  readonly resource: ServedResource;
  readonly params: readonly (ApiObject | undefined)[];
}

/** A policy or binding that cannot be asked. */
export interface Misconfigured<Policy extends PolicyObject, Binding extends BindingObject> {
  readonly policy: Policy;
  readonly binding: Binding | undefined;
  /** `failed to configure …` */
  readonly message: string;
}

export type Selected<Policy extends PolicyObject, Binding extends BindingObject, Compiled> =
  | Invocation<Policy, Binding, Compiled>
  | Misconfigured<Policy, Binding>;

/** The policies that a request concerns, with the params of each of their bindings. */
export async function selectPolicies<Policy extends PolicyObject, Binding extends BindingObject, Compiled>(
  active: readonly ActivePolicy<Policy, Binding, Compiled>[],
  registry: Registry,
  attributes: AdmissionAttributes,
): Promise<readonly Selected<Policy, Binding, Compiled>[]> {
  const selected: Selected<Policy, Binding, Compiled>[] = [];
  for (const { policy, matcher, bindings, compiled } of active) {
    const fail = (binding: Binding | undefined, error: unknown): void => {
      const what = binding === undefined ? 'policy' : 'binding';
      const why = error instanceof Error ? error.message : String(error);
      selected.push({ policy, binding, message: `failed to configure ${what}: ${why}` });
    };
    let resource: ServedResource | undefined;
    let source: ServedResource | undefined;
    try {
      resource = matcher.match(registry, attributes);
      if (resource !== undefined && policy.spec.paramKind !== undefined) {
        source = paramResource(registry, policy.spec.paramKind);
      }
    } catch (error) {
      fail(undefined, error);
      continue;
    }
    if (resource === undefined) continue;
    for (const { binding, matcher: own } of bindings) {
      try {
        if (own !== undefined && own.match(registry, attributes) === undefined) continue;
        const params = await collectParams(source, binding.spec.paramRef, attributes.request.namespace);
        selected.push({ policy, binding, compiled: compiled(), resource, params });
      } catch (error) {
        fail(binding, error);
      }
    }
  }
  return selected;
}
