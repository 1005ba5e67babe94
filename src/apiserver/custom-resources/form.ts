import { cloneJson } from '#machinery/clone.ts';
import { type ApiObject, apiVersionOf, type Json } from '#machinery/meta.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { CustomForm } from '../resources/custom-form.ts';
import type { ConvertObjects } from './conversion/convert.ts';
import { withDefaults } from './structural/defaults.ts';
import type { StructuralNode } from './structural/node.ts';
import { prune } from './structural/prune.ts';

export interface VersionForm {
  readonly root: StructuralNode;
  readonly group: string;
  readonly version: string;
  readonly storageVersion: string;
  /** Undefined: versions differ in their `apiVersion` alone. */
  readonly convert: ConvertObjects | undefined;
}

/** How objects of one version come out of the store and go into it. */
export function versionForm(
  options: VersionForm,
): Pick<
  CustomForm,
  'conform' | 'conformApplied' | 'served' | 'convertsLate' | 'isStale' | 'isReady' | 'ready' | 'toStorage'
> {
  const { root, group, version, storageVersion, convert } = options;
  const apiVersion = apiVersionOf({ group, version });
  const storageApiVersion = apiVersionOf({ group, version: storageVersion });
  // Gone when the stored objects leave memory, and with this form when the definition changes. What a webhook has
  // answered is asked for once more later, and stays as long as what it was made of.
  const served = new WeakMap<object, StoredObject>();
  const placeOf = (value: StoredObject): object => (convert === undefined ? (value.memory ?? value.object) : value);
  const needsWebhook = (value: StoredObject): boolean =>
    convert !== undefined && !served.has(placeOf(value)) && value.object.apiVersion !== apiVersion;
  const remember = (value: StoredObject, converted: ApiObject): StoredObject => {
    const object = withDefaults(prune(converted as unknown as Json, root).value, root) as unknown as ApiObject;
    const result = object === value.object ? value : StoredObject.ofObject(object);
    served.set(placeOf(value), result);
    return result;
  };
  return {
    conform: (value) => prune(value, root),
    conformApplied: (value) => prune(value, root, { keepsNulls: true }),
    served(value) {
      const known = served.get(placeOf(value));
      if (known !== undefined) return known;
      const { object } = value;
      if (object.apiVersion === apiVersion) return remember(value, object);
      if (convert !== undefined) throw new Error(`${object.metadata.name} was not converted to ${apiVersion}`);
      return remember(value, { ...object, apiVersion });
    },
    convertsLate: convert !== undefined,
    isStale: ({ object }) => object.apiVersion !== storageApiVersion,
    isReady: (value) => !needsWebhook(value),
    ready(values) {
      if (convert === undefined) return undefined;
      const waiting = [...values].filter(needsWebhook);
      if (waiting.length === 0) return undefined;
      return convert(
        waiting.map(({ object }) => object),
        apiVersion,
      ).then((converted) => {
        for (const [index, object] of converted.entries()) remember(waiting[index]!, object);
      });
    },
    toStorage(object) {
      if (version === storageVersion) return object;
      if (convert === undefined) return { ...object, apiVersion: storageApiVersion };
      return convert([object], storageApiVersion).then(([converted]) => cloneJson(converted!));
    },
  };
}
