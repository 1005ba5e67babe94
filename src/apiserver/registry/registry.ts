import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import type { RuleContext } from '#kinds/kind.ts';
import type { FieldError } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Store } from '#storage/store.ts';
import type { AdmissionChain } from '../admission/chain.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { AuthenticationOptions } from '../authentication/options.ts';
import type { ServiceAccountTokens } from '../authentication/service-account-tokens.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { RbacAuthorizer } from '../authorization/rbac.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ResourceTable, ServedResource } from '../resources/resource.ts';
import type { WebhookClient } from '../webhooks/client.ts';
import type { Operation } from './operation.ts';

/**
 * What all verbs work on. The registry is the part of the server that knows what a write means: it sits between
 * admission and the store.
 */
export interface Registry {
  readonly store: Store;
  readonly resources: ResourceTable;
  readonly environment: Environment;
  readonly admission: AdmissionChain;
  readonly hooks: RegistryHooks;
  readonly authorizer: Authorizer;
  readonly rbac: RbacAuthorizer;
  readonly authenticator: Authenticator;
  /** Calls admission and conversion webhooks. */
  readonly webhooks: WebhookClient;
  readonly tokens: ServiceAccountTokens;
  /** How long service-account tokens may live. */
  readonly tokenPolicy: Pick<AuthenticationOptions, 'extendsTokenExpiration' | 'maxTokenLifetimeSeconds' | 'jwksUri'>;
  /** How long an event is kept after it was written last. */
  readonly eventTtlSeconds: number;
  /** How long a watch lasts at least whose client does not say how long; at most twice as long. */
  readonly minWatchMs: number;
  /** Whether somebody carries out what deletions say of dependents. */
  readonly collectsGarbage: boolean;
  /** Whether a value would be sealed in another way if it were written now (encryption at rest). */
  isStale(key: string, value: StoredObject): boolean;
  /** The server's own client, which may do everything. */
  loopback(): Client;
  featureEnabled(gate: string): boolean;
}

/** What a resource does besides being stored, for example allocating a service's address. */
export interface RegistryHooks {
  /** By `group/resource`. */
  readonly byResource: Readonly<Record<string, ResourceHook>>;
}

export interface ResourceHook {
  /**
   * Called between mutating admission and validation, for what depends on who asks; may change the object.
   * @throws ApiError to refuse the write.
   */
  readonly admit?: (
    registry: Registry,
    operation: Operation,
    object: Mutable<ApiObject>,
    old: ApiObject | undefined,
  ) => void | Promise<void>;
  /** What is wrong besides what the kind's own rules find: told before it, together with it. */
  readonly problems?: (
    registry: Registry,
    operation: Operation,
    object: ApiObject,
    old: ApiObject | undefined,
  ) => readonly FieldError[];
  /**
   * Called before a write is prepared and validated, which see what it has chosen; may change the object. Not for
   * subresources.
   * @throws ApiError to refuse the write.
   */
  readonly allocate?: (
    registry: Registry,
    object: Mutable<ApiObject>,
    old: ApiObject | undefined,
    dryRun: boolean,
  ) => Promise<Allocation | undefined>;
  /** Called when everything else about a write has been decided, just before it is stored; may change the object. */
  readonly decide?: (registry: Registry, object: Mutable<ApiObject>, old: ApiObject | undefined) => void;
  /** Called after an object is gone. */
  readonly afterDelete?: (registry: Registry, object: ApiObject) => Promise<void>;
}

/** What a write has taken for its object. */
export interface Allocation {
  /** The write was refused: gives it back. */
  undo(): Promise<void>;
  /** The write is stored: gives back what the object had before and does not need any more. */
  readonly done?: () => Promise<void>;
}

export function hookOf(registry: Registry, resource: ServedResource): ResourceHook | undefined {
  return registry.hooks.byResource[resource.groupResource];
}

/** For a write to a store whose entries can have an end: events have one. */
export function lifetimeOf(registry: Registry, { kind }: ServedResource): { readonly ttlSeconds?: number } {
  return kind.resource === 'events' && registry.eventTtlSeconds > 0 ? { ttlSeconds: registry.eventTtlSeconds } : {};
}

export function ruleContext(registry: Registry, warn?: (text: string) => void): RuleContext {
  return {
    warn,
    random: registry.environment.random,
    now: registry.environment.clock.now(),
    featureEnabled: (gate) => registry.featureEnabled(gate),
  };
}
