import type { Json, JsonObject } from '#machinery/meta.ts';
import { type GroupVersionKind, isSelectedBy } from './resource.ts';

/** A field of some kinds that a part of a kustomization changes. */
export interface FieldSpec extends Partial<GroupVersionKind> {
  /** Names with `/` between them, `\/` for one within a name; lists on the way stand for all their items. */
  readonly path: string;
  /** The field is made where it is missing. */
  readonly create?: boolean;
}

export const specsFor = (kind: GroupVersionKind, specs: readonly FieldSpec[]): readonly FieldSpec[] =>
  specs.filter((spec) => isSelectedBy(kind, spec));

export function splitPath(path: string): readonly string[] {
  return path.split(/(?<!\\)\//).map((step) => step.replaceAll('\\/', '/'));
}

/**
 * The object with a change to the values at a path. Where the path ends before its last step nothing changes, unless
 * the spec creates it.
 */
export function changeField(
  object: JsonObject,
  spec: FieldSpec,
  change: (value: Json | undefined) => Json | undefined,
) {
  return changeAt(object, splitPath(spec.path), change, spec.create === true) as JsonObject;
}

function changeAt(
  value: Json | undefined,
  path: readonly string[],
  change: (value: Json | undefined) => Json | undefined,
  create: boolean,
): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item) => changeAt(item, path, change, create) ?? item);
  if (value !== null && value !== undefined && typeof value !== 'object') return value;
  const isList = step.endsWith('[]');
  const name = isList ? step.slice(0, -2) : step;
  const object = (value ?? {}) as JsonObject;
  if ((object[name] === undefined || object[name] === null) && (!create || isList)) return value;
  const changed = changeAt(object[name] ?? undefined, rest, change, create);
  return changed === undefined || changed === object[name] ? value : { ...object, [name]: changed };
}
