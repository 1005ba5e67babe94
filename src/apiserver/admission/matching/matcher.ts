import type { LabelSelector } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { type AdmissionAttributes, type AdmissionOperation, subjectName } from '../plugin.ts';
import { type ResourceRule, ruleCovers } from './rules.ts';
import { type CompiledSelector, compileSelector, namespaceSelected, objectSelected } from './selectors.ts';

/** What webhooks and policies say about the requests that they want to see. */
export interface MatchConstraints {
  readonly rules: readonly ResourceRule[];
  /** Of policies: what is left out of the above. */
  readonly excludeRules?: readonly ResourceRule[];
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  /** What no rules at all mean: everything for a policy's binding, nothing for a webhook. */
  readonly withoutRules: 'everything' | 'nothing';
}

/** A rule that covers an operation, and the version in which it does. */
interface Candidate {
  readonly resource: ServedResource;
  /** Names that the rule is limited to; none: all. */
  readonly names: readonly string[];
}

interface Coverage {
  readonly included: readonly Candidate[];
  readonly excluded: readonly Candidate[];
}

/** Decides which requests a webhook or policy sees. What depends on the resource alone is worked out once for each. */
export class RequestMatcher {
  readonly #constraints: MatchConstraints;
  readonly #namespaceSelector: CompiledSelector;
  readonly #objectSelector: CompiledSelector;
  readonly #coverage = new WeakMap<ServedResource, Map<string, Coverage>>();

  constructor(constraints: MatchConstraints) {
    this.#constraints = constraints;
    this.#namespaceSelector = compileSelector(constraints.namespaceSelector);
    this.#objectSelector = compileSelector(constraints.objectSelector);
  }

  /** Whether any request with this operation, resource and subresource can match. */
  covers(registry: Registry, operation: AdmissionOperation, resource: ServedResource, subresource: string): boolean {
    return this.#coverageOf(registry, operation, resource, subresource).included.length > 0;
  }

  /**
   * The resource in whose version the matching rule wants the objects; undefined when the request does not match.
   * @throws ApiError 404 or 500 where the rules match and a selector cannot be asked.
   */
  match(registry: Registry, attributes: AdmissionAttributes): ServedResource | undefined {
    const { operation, request } = attributes;
    const { included, excluded } = this.#coverageOf(registry, operation, request.resource, request.subresource);
    const name = subjectName(attributes);
    const applies = ({ names }: Candidate): boolean => names.length === 0 || names.includes(name);
    const found = included.find(applies);
    if (found === undefined || excluded.some(applies)) return undefined;
    // Unlike a broken selector of the other kind, a request that this one leaves out is no failure.
    if (!objectSelected(this.#objectSelector, attributes)) return undefined;
    if (!namespaceSelected(this.#namespaceSelector, attributes, registry)) return undefined;
    return found.resource;
  }

  #coverageOf(
    registry: Registry,
    operation: AdmissionOperation,
    resource: ServedResource,
    subresource: string,
  ): Coverage {
    let byOperation = this.#coverage.get(resource);
    if (byOperation === undefined) {
      byOperation = new Map();
      this.#coverage.set(resource, byOperation);
    }
    const key = subresource === '' ? operation : `${operation} ${subresource}`;
    let coverage = byOperation.get(key);
    if (coverage === undefined) {
      coverage = this.#cover(registry, operation, resource, subresource);
      byOperation.set(key, coverage);
    }
    return coverage;
  }

  #cover(registry: Registry, operation: AdmissionOperation, resource: ServedResource, subresource: string): Coverage {
    const { rules, excludeRules = [], matchPolicy = 'Equivalent', withoutRules } = this.#constraints;
    const others = matchPolicy === 'Equivalent' ? equivalents(registry, resource, subresource) : [];
    const candidates = (wanted: readonly ResourceRule[]): Candidate[] => {
      const covered = (seen: ServedResource) => (rule: ResourceRule) => ruleCovers(rule, operation, seen, subresource);
      const asAsked = wanted.filter(covered(resource)).map((rule) => candidate(rule, resource));
      const converted = wanted.flatMap((rule) =>
        others.filter((other) => covered(other)(rule)).map((other) => candidate(rule, other)),
      );
      return [...asAsked, ...converted];
    };
    const isOpen = rules.length === 0 && withoutRules === 'everything';
    return { included: isOpen ? [{ resource, names: [] }] : candidates(rules), excluded: candidates(excludeRules) };
  }
}

function candidate({ resourceNames = [] }: ResourceRule, resource: ServedResource): Candidate {
  return { resource, names: resourceNames };
}

/** The same objects under other versions or groups. */
function equivalents(
  { resources }: Registry,
  { kind, storage }: ServedResource,
  subresource: string,
): readonly ServedResource[] {
  if (storage === undefined) return [];
  return [...resources.all()].filter(
    (other) =>
      other.storage === storage &&
      (other.kind.group !== kind.group || other.kind.version !== kind.version) &&
      (subresource === '' || other.subresources.has(subresource)),
  );
}

const exempt = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);

/** Whether a resource configures admission: nothing that it configures may stand in the way of repairing it. */
export function configuresAdmission({ kind }: ServedResource): boolean {
  return kind.group === 'admissionregistration.k8s.io' && exempt.has(kind.resource);
}
