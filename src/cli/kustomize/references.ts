import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';
import { changeField, type FieldSpec } from './fields.ts';
import { type ReferenceTarget, referenceTargets } from './reference-table.ts';
import {
  currentId,
  isSelectedBy,
  nameOf,
  namespaceOf,
  originalId,
  previousIds,
  type Resource,
  textOfResource,
} from './resource.ts';

/** Follows names that have changed: whoever refers to an object by a name that it had, refers to its name of now. */
export function withReferences(resources: readonly Resource[]): readonly Resource[] {
  const changed = [...resources];
  for (const [index, resource] of resources.entries()) {
    const id = originalId(resource);
    for (const target of referenceTargets) {
      for (const field of target.fields) {
        if (!isSelectedBy(id, field)) continue;
        const referrer = changed[index]!;
        changed[index] = { ...referrer, object: follow(changed, referrer, target, field) };
      }
    }
  }
  return changed;
}

function follow(
  resources: readonly Resource[],
  referrer: Resource,
  target: ReferenceTarget,
  field: FieldSpec,
): JsonObject {
  const candidates = candidatesFor(resources, referrer);
  const scope: Scope = { referrer, target, field };
  const changeOne = (value: Json): Json => {
    if (typeof value === 'string') return nameFor(value, candidates, scope);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? subjectFor(value as JsonObject, candidates, scope)
      : value;
  };
  return changeField(referrer.object, field, (value) => {
    if (value === undefined || value === null) return value;
    return Array.isArray(value) ? value.map(changeOne) : changeOne(value);
  });
}

interface Scope {
  readonly referrer: Resource;
  readonly target: ReferenceTarget;
  readonly field: FieldSpec;
}

/** Who is in the same namespace, in none, or in that of a role binding's service account. */
function candidatesFor(resources: readonly Resource[], referrer: Resource): readonly Resource[] {
  const { namespace } = currentId(referrer);
  if (namespace === undefined) return resources;
  const others = accountNamespaces(referrer);
  return resources.filter((resource) => {
    const own = currentId(resource).namespace;
    return own === undefined || own === namespace || others.has(namespaceOf(resource));
  });
}

function accountNamespaces({ object }: Resource): ReadonlySet<string> {
  if (object['kind'] !== 'RoleBinding' || !Array.isArray(object['subjects'])) return new Set();
  const subjects = object['subjects'] as unknown as readonly { readonly kind?: string; readonly namespace?: string }[];
  return new Set(
    subjects.flatMap(({ kind, namespace }) => (kind === 'ServiceAccount' && namespace ? [namespace] : [])),
  );
}

function nameFor(name: string, candidates: readonly Resource[], scope: Scope): string {
  const found = select(name, candidates, scope, (resource) => nameOf(resource));
  return found === undefined ? name : nameOf(found);
}

/** A reference of a name with a namespace: a subject of a binding, the service of a webhook. */
function subjectFor(value: JsonObject, candidates: readonly Resource[], scope: Scope): JsonObject {
  const { name, namespace } = value;
  if (typeof name !== 'string') throw new CliError(`path config error; no 'name' field in node`);
  const inNamespace = typeof namespace === 'string' ? ofNamespace(candidates, namespace) : candidates;
  const found = select(name, inNamespace, scope, (resource) => `${nameOf(resource)}/${namespaceOf(resource)}`);
  if (found === undefined) return value;
  const now = namespaceOf(found);
  return { ...value, name: nameOf(found), ...(now === '' ? {} : { namespace: now }) };
}

function ofNamespace(candidates: readonly Resource[], namespace: string): readonly Resource[] {
  const before = candidates.filter((resource) => originalId(resource).namespace === namespace);
  return before.length > 0 ? before : candidates.filter((resource) => currentId(resource).namespace === namespace);
}

/** The one object that is meant; undefined when it is none of the build's. Throws CliError when it could be several. */
function select(
  name: string,
  candidates: readonly Resource[],
  { referrer, target, field }: Scope,
  identity: (resource: Resource) => string,
): Resource | undefined {
  const { namespace } = currentId(referrer);
  const roleRef = field.path.endsWith('roleRef/name') ? roleOf(referrer) : undefined;
  const found = candidates.filter((resource) => {
    const previous = previousIds(resource);
    const own = currentId(resource);
    return (
      previous.some((id) => id.name === name) &&
      previous.some((id) => isSelectedBy(id, target)) &&
      (roleRef === undefined || previous.some((id) => isSelectedBy(id, roleRef))) &&
      (namespace === undefined ||
        own.namespace === undefined ||
        own.kind === 'ServiceAccount' ||
        own.namespace === namespace)
    );
  });
  if (found.length === 1) return found[0];
  const loosely = found.filter((resource) => hasSameAffixes(resource, referrer, { allowsEmpty: true }));
  const closest =
    loosely.length > 1
      ? loosely.filter((resource) => hasSameAffixes(resource, referrer, { allowsEmpty: false }))
      : loosely;
  const [first] = closest;
  if (first === undefined) return undefined;
  if (closest.some((resource) => identity(resource) !== identity(first))) {
    throw new CliError(`found multiple possible referrals: ${closest.map(textOfResource).join(', ')}`);
  }
  return first;
}

function roleOf({ object }: Resource): { readonly group: string; readonly kind: string } | undefined {
  const { apiGroup, kind } = (object['roleRef'] ?? {}) as { readonly apiGroup?: string; readonly kind?: string };
  return apiGroup === undefined || kind === undefined ? undefined : { group: apiGroup, kind };
}

/** Whether both went through the same layers of a build: these put their prefixes and suffixes on both. */
function hasSameAffixes(left: Resource, right: Resource, { allowsEmpty }: { readonly allowsEmpty: boolean }): boolean {
  const agree = (a: readonly string[], b: readonly string[]): boolean =>
    (allowsEmpty && (a.length === 0 || b.length === 0)) || endsAlike(a, b);
  return agree(left.prefixes, right.prefixes) && agree(left.suffixes, right.suffixes);
}

function endsAlike(left: readonly string[], right: readonly string[]): boolean {
  const length = Math.min(left.length, right.length);
  if (length === 0) return left.length === right.length;
  return left.slice(-length).every((text, index) => text === right.slice(-length)[index]);
}
