import { CustomResourceDefinition as DefinitionKind } from '#kinds/generated/handles.ts';
import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Registry, ResourceHook } from '../../registry/registry.ts';
import { decidedStatus } from './status.ts';

/**
 * Names are decided with the very write that asks for them: who gets the answer to a create can use the kind.
 */
export const definitionHook: ResourceHook = {
  allocate(registry, object, old) {
    const definition = object as unknown as Mutable<CustomResourceDefinition>;
    const before = old as unknown as CustomResourceDefinition | undefined;
    if (before === undefined || !equalValues(before.spec, definition.spec))
      definition.status = decidedStatus(
        definition,
        othersInGroup(registry, definition),
        registry.environment.clock.now(),
      ) as Mutable<CustomResourceDefinition>['status'] & object;
    return Promise.resolve(undefined);
  },
};

/** The other definitions of a definition's group. */
export function* othersInGroup(
  { resources }: Pick<Registry, 'resources'>,
  { metadata, spec }: CustomResourceDefinition,
): Generator<CustomResourceDefinition> {
  for (const { value } of resources.of(DefinitionKind).storage!.cache.entries()) {
    const other = value.object as unknown as CustomResourceDefinition;
    if (other.spec.group === spec.group && other.metadata.name !== metadata.name) yield other;
  }
}
