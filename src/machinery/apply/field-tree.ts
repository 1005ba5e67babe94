import type { JsonFields } from '../conform.ts';
import type { JsonObject } from '../meta.ts';

/**
 * A set of field paths, in the very form that managed fields have in JSON (FieldsV1): a node for each step of a path,
 * `f:` with a field's name, `k:` with the keys of a list's item, `v:` with the value of a set's item. A path is in the
 * set when its node is empty or has the member `.`. The root itself is never in the set, so `{}` there is no path.
 * Trees are never changed; what stays is shared.
 */
export type FieldTree = JsonObject;

export const noFields: FieldTree = {};

/** Whether the path of the node itself is in the set. */
export function isMember(node: FieldTree): boolean {
  for (const key in node) return key === '.' || Object.hasOwn(node, '.');
  return true;
}

export function isEmptyTree(root: FieldTree): boolean {
  for (const _ in root) return false;
  return true;
}

function childOf(node: FieldTree, step: string): FieldTree | undefined {
  return Object.hasOwn(node, step) ? (node[step] as FieldTree) : undefined;
}

/** A node with these steps; undefined when neither it nor anything below is in the set. */
function makeNode(children: JsonFields, member: boolean): FieldTree | undefined {
  if (isEmptyTree(children)) return member ? noFields : undefined;
  return member ? { '.': noFields, ...children } : children;
}

/** Paths in either set; a tree that holds the other's paths already is given back itself. */
export function unionFields(left: FieldTree, right: FieldTree): FieldTree {
  if (isEmptyTree(left)) return right;
  if (isEmptyTree(right)) return left;
  return unionChildren(left, right) ?? left;
}

function unionNodes(left: FieldTree, right: FieldTree): FieldTree {
  if (left === right) return left;
  const wasMember = isMember(left);
  const children = unionChildren(left, right);
  if (children === undefined && (wasMember || !isMember(right))) return left;
  return makeNode(children ?? withoutMembership(left), wasMember || isMember(right)) ?? noFields;
}

/** The children of both; undefined when `left` has them all. */
function unionChildren(left: FieldTree, right: FieldTree): JsonFields | undefined {
  let children: JsonFields | undefined;
  for (const step in right) {
    if (step === '.') continue;
    const own = childOf(left, step);
    const other = right[step] as FieldTree;
    const union = own === undefined ? other : unionNodes(own, other);
    if (union === own) continue;
    children ??= withoutMembership(left);
    children[step] = union;
  }
  return children;
}

function withoutMembership(node: FieldTree): JsonFields {
  const { '.': _, ...children } = node;
  return children;
}

/**
 * Paths in `left` that are not in `right`; what is below such a path stays unless it is named itself. Gives `left`
 * itself back when nothing of it is in `right`.
 */
export function differenceFields(left: FieldTree, right: FieldTree): FieldTree {
  if (isEmptyTree(left) || isEmptyTree(right)) return left;
  return differenceChildren(left, right) ?? left;
}

/** The children that stay; undefined when all do as they are. */
function differenceChildren(left: FieldTree, right: FieldTree): JsonFields | undefined {
  let children: JsonFields | undefined;
  for (const step in right) {
    const node = step === '.' ? undefined : childOf(left, step);
    if (node === undefined) continue;
    const other = right[step] as FieldTree;
    const rest = differenceNodes(node, other);
    if (rest === node) continue;
    children ??= withoutMembership(left);
    if (rest === undefined) delete children[step];
    else children[step] = rest;
  }
  return children;
}

function differenceNodes(node: FieldTree, other: FieldTree): FieldTree | undefined {
  const children = differenceChildren(node, other);
  const wasMember = isMember(node);
  if (children === undefined && !(wasMember && isMember(other))) return node;
  return makeNode(children ?? withoutMembership(node), wasMember && !isMember(other));
}

/** Paths in both sets. */
export function intersectFields(left: FieldTree, right: FieldTree): FieldTree {
  const children: JsonFields = {};
  for (const step of Object.keys(left)) {
    const other = childOf(right, step);
    if (step === '.' || other === undefined) continue;
    const node = left[step] as FieldTree;
    const common = makeNode(intersectFields(node, other), isMember(node) && isMember(other));
    if (common !== undefined) children[step] = common;
  }
  return children;
}

/** All paths, as people read them: `.spec.containers[name="a"].image`. At each place what ends there comes first. */
export function pathsOf(root: FieldTree): string[] {
  const paths: string[] = [];
  const visit = (node: FieldTree, prefix: string): void => {
    const steps = Object.keys(node)
      .filter((step) => step !== '.')
      .sort();
    for (const step of steps) if (isMember(node[step] as FieldTree)) paths.push(prefix + stepText(step));
    for (const step of steps) visit(node[step] as FieldTree, prefix + stepText(step));
  };
  visit(root, '');
  return paths;
}

function stepText(step: string): string {
  const rest = step.slice(2);
  switch (step[0]) {
    case 'f':
      return `.${rest}`;
    case 'k': {
      const keys = JSON.parse(rest) as Readonly<Record<string, unknown>>;
      const parts = Object.keys(keys).sort();
      return `[${parts.map((key) => `${key}=${JSON.stringify(keys[key])}`).join(',')}]`;
    }
    case 'v':
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}

/** Without the subtrees at these paths of field names. */
export function withoutPaths(root: FieldTree, paths: readonly (readonly string[])[]): FieldTree {
  return paths.reduce<FieldTree>((tree, path) => withoutPath(tree, path) ?? noFields, root);
}

function withoutPath(node: FieldTree, path: readonly string[]): FieldTree | undefined {
  const step = `f:${path[0]}`;
  const child = childOf(node, step);
  if (child === undefined) return node;
  const rest = path.slice(1);
  const { [step]: _, ...others } = node;
  if (rest.length === 0) return others;
  const kept = withoutPath(child, rest);
  const isGone = kept === undefined || (isEmptyTree(kept) && !isMemberLeaf(child));
  return isGone ? others : { ...others, [step]: kept };
}

/** A node without children was a path of its own before anything was taken out of it. */
function isMemberLeaf(node: FieldTree): boolean {
  return isEmptyTree(node);
}
