import { CustomResourceDefinition as DefinitionKind } from '#kinds/generated/handles.ts';
import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import { trackUpdate } from '#machinery/apply/index.ts';
import { equalValues } from '#machinery/equality.ts';
import { apiVersionOf, type ManagedFieldsEntry, type Mutable } from '#machinery/meta.ts';
import type { Registry, ResourceHook } from '../../registry/registry.ts';
import { resetFieldsOf } from '../../registry/reset-fields.ts';
import { decidedStatus } from './status.ts';

/**
 * Names are decided with the very write that asks for them: who gets the answer to a create can use the kind. The
 * status is the server's own all the same, and noted as such.
 */
export const definitionHook: ResourceHook = {
  decide(registry, object, old) {
    const definition = object as unknown as Mutable<CustomResourceDefinition>;
    const before = old as unknown as CustomResourceDefinition | undefined;
    const isSettled = before !== undefined && equalValues(before.spec, definition.spec);
    if (!isSettled) decide(registry, definition);
  },
};

function decide(registry: Registry, definition: Mutable<CustomResourceDefinition>): void {
  const now = registry.environment.clock.now();
  const undecided = { ...definition } as CustomResourceDefinition;
  definition.status = decidedStatus(
    undecided,
    othersInGroup(registry, undecided),
    now,
  ) as typeof definition.status & {};
  const resource = registry.resources.of(DefinitionKind);
  const entries = trackUpdate({
    old: undecided,
    new: definition as CustomResourceDefinition,
    schema: resource.schema,
    manager: 'kube-apiserver',
    apiVersion: apiVersionOf(DefinitionKind),
    subresource: 'status',
    now,
    resetFields: resetFieldsOf(resource, 'status'),
  });
  // Definitions are written through one version.
  if (!(entries instanceof Promise)) definition.metadata.managedFields = entries as Mutable<ManagedFieldsEntry>[];
}

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
