import type { InformerEvent } from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { byNamespace } from '#client/object-cache.ts';
import { keyFor, keyOf } from '#client/object-key.ts';
import type { Kind } from '#kinds/kind.ts';
import { selects } from '#machinery/labels.ts';
import type { ApiObject, LabelSelector } from '#machinery/meta.ts';
import { controllerNameOf, controllerOf } from './owners.ts';

/** An owner with a label selector. */
export interface SelectingOwner extends ApiObject {
  readonly spec?: { readonly selector?: LabelSelector };
}

/** Keys of the owners that an item concerns: the one that controls it, or all that may adopt it. */
export function ownersOf<Owner extends SelectingOwner, Item extends ApiObject>(
  kind: Kind<Owner>,
  owners: Informer<Owner>,
  item: Item,
  event: InformerEvent<Item>,
): readonly string[] {
  const { namespace = '', labels } = item.metadata;
  const controller = controllerOf(item);
  if (controller !== undefined) {
    const name = controllerNameOf(item, kind);
    const owner = name === undefined ? undefined : owners.get(namespace, name);
    return owner?.metadata.uid === controller.uid ? [keyFor(namespace, controller.name)] : [];
  }
  if (event.type === 'deleted') return [];
  const candidates = owners.index('namespace', byNamespace).get(namespace);
  return candidates.filter(({ spec }) => selects(spec?.selector, labels)).map(keyOf);
}

/** Files an object without a controller under its namespace. */
export function orphanNamespace(object: ApiObject): readonly string[] {
  return controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : [];
}
