import type { ControllerContext } from '#client/controller.ts';
import { CustomResourceDefinition as DefinitionKind } from '#kinds/generated/handles.ts';
import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Kind } from '#kinds/kind.ts';

export interface KindFollower {
  come(kind: Kind): void;
  /** The very value that came. */
  gone(kind: Kind): void;
}

/** Tells of kinds as definitions bring and take them. The informer of a kind that has gone is let go. */
export function followCustomKinds(context: ControllerContext, follower: KindFollower): void {
  const known = new Map<string, Kind>();
  const drop = (name: string): void => {
    const kind = known.get(name);
    if (kind === undefined) return;
    known.delete(name);
    follower.gone(kind);
    context.unwatch(kind);
  };
  const look = (definition: CustomResourceDefinition): void => {
    const name = definition.metadata.name ?? '';
    const kind = servedKind(definition);
    const before = known.get(name);
    if (kind === undefined) {
      drop(name);
      return;
    }
    if (before !== undefined && isSameKind(before, kind)) return;
    drop(name);
    known.set(name, kind);
    follower.come(kind);
  };
  context.watch(DefinitionKind).subscribe({
    added: look,
    updated: (_, definition) => look(definition),
    deleted: ({ metadata }) => drop(metadata.name ?? ''),
  });
}

/** The kind in the version that is kept if it is served, else in the first that is. */
function servedKind({ spec, status }: CustomResourceDefinition): Kind | undefined {
  const isEstablished = status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True');
  if (isEstablished !== true) return undefined;
  const served = spec.versions.filter((version) => version.served);
  const version = served.find(({ storage }) => storage) ?? served[0];
  if (version === undefined) return undefined;
  const { kind, plural } = { ...spec.names, ...status?.acceptedNames };
  return { group: spec.group, version: version.name, kind, resource: plural, namespaced: spec.scope === 'Namespaced' };
}

function isSameKind(left: Kind, right: Kind): boolean {
  return left.version === right.version && left.kind === right.kind && left.resource === right.resource;
}
