import type { Environment } from '#base/environment.ts';
import { CustomResourceDefinition as DefinitionKind } from '#kinds/generated/handles.ts';
import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import type { Store } from '#storage/store.ts';
import { ResourceCache } from '../cache/resource-cache.ts';
import type { ResourceTable, ServedResource } from '../resources/resource.ts';
import { customStorageKeyPrefix } from '../resources/storage-keys.ts';
import type { ConvertObjects } from './conversion/convert.ts';
import { isConditionTrue } from './definition/conditions.ts';
import type { RuleEngine } from './rules-hook.ts';
import { servedResources } from './served-resources.ts';

export interface CustomResourcesOptions {
  readonly store: Store;
  readonly resources: ResourceTable;
  readonly environment: Environment;
  readonly rules: RuleEngine;
  /** How a definition's versions become one another; undefined where only their `apiVersion` differs. */
  readonly converterOf: (definition: CustomResourceDefinition) => ConvertObjects | undefined;
}

/** A definition as it is served. */
interface Installed {
  readonly definition: CustomResourceDefinition;
  readonly cache: ResourceCache;
  readonly served: readonly ServedResource[];
}

/**
 * Follows the CustomResourceDefinitions in the store and keeps the table of resources in step with them: each event
 * touches the one kind that it is about.
 */
export class CustomResources {
  readonly #options: CustomResourcesOptions;
  /** By the definition's name, `plural.group`. */
  readonly #installed = new Map<string, Installed>();
  /** Kinds whose latest definition is on its way into the table. */
  readonly #pending = new Map<string, Promise<void>>();
  #stopped = false;

  private constructor(options: CustomResourcesOptions) {
    this.#options = options;
  }

  /** Serves every definition that the store holds, and from now on those that come. */
  static async start(options: CustomResourcesOptions): Promise<CustomResources> {
    const custom = new CustomResources(options);
    const { cache } = options.resources.of(DefinitionKind).storage!;
    cache.onEvent(({ key }) => custom.#follow(key, cache));
    for (const { key } of cache.entries()) custom.#follow(key, cache);
    await custom.settled();
    return custom;
  }

  /**
   * Undefined when nothing is on its way: what the table says is how it is. Else resolves when the kind, or every
   * kind, that is on its way has come.
   */
  settled(name?: string): Promise<void> | undefined {
    if (this.#pending.size === 0) return undefined;
    return name === undefined ? Promise.all(this.#pending.values()).then(() => undefined) : this.#pending.get(name);
  }

  #follow(name: string, definitions: ResourceCache): void {
    if (this.#stopped) return;
    const before = this.#pending.get(name);
    const step = async (): Promise<void> => {
      await before;
      await this.#bring(name, definitions.get(name)?.value.object as CustomResourceDefinition | undefined);
    };
    const running: Promise<void> = step()
      .catch((error: unknown) =>
        this.#options.environment.log.error('cannot serve a custom kind', { name, error: String(error) }),
      )
      .finally(() => {
        if (this.#pending.get(name) === running) this.#pending.delete(name);
      });
    this.#pending.set(name, running);
  }

  async #bring(name: string, definition: CustomResourceDefinition | undefined): Promise<void> {
    const known = this.#installed.get(name);
    if (definition === undefined || !isConditionTrue(definition, 'Established')) {
      if (known !== undefined) this.#remove(name, known);
      return;
    }
    if (known !== undefined && servesAlike(known.definition, definition)) return;
    const { store, resources, rules, converterOf } = this.#options;
    const { group } = definition.spec;
    const names = { ...definition.spec.names, ...definition.status?.acceptedNames };
    const prefix = customStorageKeyPrefix(group, names.plural);
    const cache = known?.cache ?? (await ResourceCache.open(store, prefix));
    if (this.#stopped) return cache.close();
    const convert = converterOf(definition);
    const served = servedResources({ definition, names, cache, prefix, convert, rules });
    this.#installed.set(name, { definition, cache, served });
    resources.replace(known?.served ?? [], served);
    if (known !== undefined && !equalValues(known.definition.spec, definition.spec)) cache.endWatches();
  }

  #remove(name: string, { cache, served }: Installed): void {
    this.#installed.delete(name);
    this.#options.resources.replace(served, []);
    cache.close();
  }

  /** The table closes the caches of what it has. */
  stop(): void {
    this.#stopped = true;
    this.#installed.clear();
  }
}

/** Whether nothing differs that a served kind is made from. */
function servesAlike(left: CustomResourceDefinition, right: CustomResourceDefinition): boolean {
  return (
    left.metadata.uid === right.metadata.uid &&
    left.metadata.deletionTimestamp === right.metadata.deletionTimestamp &&
    equalValues(left.spec, right.spec) &&
    equalValues(left.status?.acceptedNames, right.status?.acceptedNames)
  );
}
