import { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '#kinds/generated/handles.ts';
import type {
  MutatingWebhookConfiguration as MutatingConfiguration,
  MutatingWebhook,
} from '#kinds/generated/types/admissionregistration_v1.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { MatchConditions } from '../match-conditions/match-conditions.ts';
import { configuresAdmission, RequestMatcher } from '../matching/matcher.ts';
import type { AdmissionAttributes, AdmissionOperation } from '../plugin.ts';

/** Mutating webhooks have every field of validating ones. */
export type Webhook = MutatingWebhook;

export type WebhookType = 'mutating' | 'validating';

/** One webhook, compiled. */
export interface Hook {
  /** Unique among all hooks of its type. */
  readonly id: string;
  readonly configuration: string;
  readonly webhook: Webhook;
  readonly matcher: RequestMatcher;
  readonly conditions: MatchConditions | undefined;
}

const none: readonly Hook[] = [];

/**
 * All webhooks of one type in the order in which they are called: configurations by name, each in its own order.
 * Which of them an operation on a resource can concern is looked up once; a changed configuration begins anew.
 */
export class Hooks {
  readonly #registry: Registry;
  readonly #type: WebhookType;
  #hooks: readonly Hook[] | undefined;
  #byResource = new WeakMap<ServedResource, Map<string, readonly Hook[]>>();

  constructor(registry: Registry, type: WebhookType) {
    this.#registry = registry;
    this.#type = type;
    this.#configurations().onEvent(() => {
      this.#hooks = undefined;
    });
  }

  /** Hooks whose rules cover the request's operation on its resource. */
  concerned({ operation, request: { resource, subresource } }: AdmissionAttributes): readonly Hook[] {
    this.#hooks ??= this.#compile();
    if (this.#hooks.length === 0) return none;
    let byOperation = this.#byResource.get(resource);
    if (byOperation === undefined) {
      byOperation = new Map();
      this.#byResource.set(resource, byOperation);
    }
    const key = subresource === '' ? operation : `${operation} ${subresource}`;
    let hooks = byOperation.get(key);
    if (hooks === undefined) {
      hooks = this.#covering(this.#hooks, operation, resource, subresource);
      byOperation.set(key, hooks);
    }
    return hooks;
  }

  #covering(
    hooks: readonly Hook[],
    operation: AdmissionOperation,
    resource: ServedResource,
    subresource: string,
  ): readonly Hook[] {
    if (configuresAdmission(resource)) return none;
    return hooks.filter(({ matcher }) => matcher.covers(this.#registry, operation, resource, subresource));
  }

  #configurations() {
    const kind = this.#type === 'mutating' ? MutatingWebhookConfiguration : ValidatingWebhookConfiguration;
    return this.#registry.resources.of(kind).storage!.cache;
  }

  #compile(): readonly Hook[] {
    this.#byResource = new WeakMap();
    return [...this.#configurations().entries()].flatMap(({ value }) => {
      const { metadata, webhooks = [] } = value.object as MutatingConfiguration;
      const configuration = metadata.name ?? '';
      return webhooks.map((webhook, index): Hook => {
        const { matchConditions = [] } = webhook;
        return {
          id: `${configuration}/${webhook.name}/${index}`,
          configuration,
          webhook,
          matcher: new RequestMatcher({ ...webhook, rules: webhook.rules ?? [], withoutRules: 'nothing' }),
          conditions: matchConditions.length === 0 ? undefined : new MatchConditions(matchConditions),
        };
      });
    });
  }
}
