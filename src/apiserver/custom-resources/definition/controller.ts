import type { Environment } from '#base/environment.ts';
import { KeyedQueue } from '#base/keyed-queue.ts';
import { forEachLimited } from '#base/tasks.ts';
import type { Client } from '#client/client.ts';
import { CustomResourceDefinition as DefinitionKind } from '#kinds/generated/handles.ts';
import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ResourceCache } from '../../cache/resource-cache.ts';
import type { ResourceTable } from '../../resources/resource.ts';
import { workThrough } from '../../work.ts';
import { type ConditionChange, isConditionTrue, withCondition } from './conditions.ts';
import { othersInGroup } from './hook.ts';
import { cleanupFinalizer } from './rules.ts';
import { decidedStatus } from './status.ts';

/** How often the objects of a kind that is going away are counted again. */
const recountMs = 1000;
/** Namespaces that are emptied at a time. */
const concurrency = 8;

export interface DefinitionControllerOptions {
  readonly resources: ResourceTable;
  readonly client: Client;
  readonly environment: Environment;
}

/**
 * What of a definition's life takes time: its objects go before it does, and names that were taken are accepted once
 * they are free.
 */
export class DefinitionController {
  readonly #options: DefinitionControllerOptions;
  readonly #definitions: ResourceCache;
  readonly #queue: KeyedQueue;
  readonly #stop = new AbortController();

  constructor(options: DefinitionControllerOptions) {
    this.#options = options;
    this.#queue = new KeyedQueue(options.environment.clock);
    this.#definitions = options.resources.of(DefinitionKind).storage!.cache;
    this.#definitions.onEvent(({ type, key, value }) => {
      const definition = value.object as unknown as CustomResourceDefinition;
      if (needsWork(definition)) this.#queue.add(key);
      if (type === 'ADDED') return;
      for (const other of othersInGroup(options, definition)) {
        if (!isConditionTrue(other, 'NamesAccepted')) this.#queue.add(other.metadata.name ?? '');
      }
    });
    for (const { key, value } of this.#definitions.entries())
      if (needsWork(value.object as unknown as CustomResourceDefinition)) this.#queue.add(key);
  }

  /** Works until it is stopped. */
  run(): Promise<void> {
    return workThrough(this.#queue, { log: this.#options.environment.log, what: 'customResourceDefinition' }, (name) =>
      this.#sync(name),
    );
  }

  stop(): void {
    this.#stop.abort();
    this.#queue.close();
  }

  async #sync(name: string): Promise<void> {
    const definition = this.#definitions.get(name)?.value.object as CustomResourceDefinition | undefined;
    if (definition === undefined) return;
    const { clock } = this.#options.environment;
    if (isLeaving(definition)) return this.#empty(definition);
    if (isConditionTrue(definition, 'NamesAccepted')) return;
    const status = decidedStatus(definition, othersInGroup(this.#options, definition), clock.now());
    if (!equalValues(status, definition.status))
      await this.#options.client.updateStatus(DefinitionKind, { ...definition, status });
  }

  /** Deletes a definition's objects; lets the definition go once there are none. */
  async #empty(definition: CustomResourceDefinition): Promise<void> {
    const { client } = this.#options;
    const kind = this.#kindOf(definition);
    let current = definition;
    if (kind !== undefined) {
      const before = await client.list(kind);
      if (before.items.length > 0) {
        current = await this.#report(current, inProgress);
        const namespaces = kind.namespaced
          ? new Set(before.items.map(({ metadata }) => metadata.namespace))
          : [undefined];
        await forEachLimited([...namespaces], concurrency, (namespace) => client.deleteCollection(kind, { namespace }));
        const after = await client.list(kind);
        if (after.items.length > 0) {
          this.#queue.addAfter(definition.metadata.name ?? '', recountMs);
          return;
        }
      }
    }
    current = await this.#report(current, completed);
    const finalizers = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
    const body = { metadata: { finalizers, resourceVersion: current.metadata.resourceVersion } };
    await client.patch(DefinitionKind, { name: current.metadata.name ?? '' }, { type: 'merge', body });
  }

  async #report(definition: CustomResourceDefinition, change: ConditionChange): Promise<CustomResourceDefinition> {
    const now = this.#options.environment.clock.now();
    const conditions = withCondition(definition.status?.conditions ?? [], change, now);
    if (equalValues(conditions, definition.status?.conditions)) return definition;
    const { client } = this.#options;
    return client.updateStatus(DefinitionKind, { ...definition, status: { ...definition.status, conditions } });
  }

  /** Through whichever version is served; a kind without one cannot be emptied by anybody. */
  #kindOf({ spec, status }: CustomResourceDefinition): Kind | undefined {
    const plural = status?.acceptedNames?.plural ?? spec.names.plural;
    for (const { name, served } of spec.versions) {
      const kind = served ? this.#options.resources.get(spec.group, name, plural)?.kind : undefined;
      if (kind !== undefined) return kind;
    }
    return undefined;
  }
}

const inProgress: ConditionChange = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
};

const completed: ConditionChange = {
  type: 'Terminating',
  status: 'False',
  reason: 'InstanceDeletionCompleted',
  message: 'removed all instances',
};

function isLeaving({ metadata }: CustomResourceDefinition): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(cleanupFinalizer);
}

function needsWork(definition: CustomResourceDefinition): boolean {
  return isLeaving(definition) || !isConditionTrue(definition, 'NamesAccepted');
}
