import type { FieldTree } from './field-tree.ts';

/** Trees that are kept to be shared, and how large they may be: together less than two megabytes. */
const maxShared = 256;
const maxNodes = 128;

/** By their outline; what comes later takes the place of what has the same one. */
const shared = new Map<number, FieldTree>();

/**
 * The same tree as one that an earlier object has, or this one for later objects to have: most objects of a kind have the
 * same fields, and a tree that all share takes neither memory nor a collector's time.
 *
 * @param tree its members in order; nobody may change it
 */
export function sharedTree(tree: FieldTree): FieldTree {
  const outline = new Outline();
  outline.visit(tree);
  if (outline.nodes > maxNodes) return tree;
  const place = outline.hash % maxShared;
  const known = shared.get(place);
  if (known !== undefined && areSame(known, tree)) return known;
  shared.set(place, tree);
  return tree;
}

/** Tells most trees apart without a look at every letter. */
class Outline {
  nodes = 0;
  hash = 0;

  visit(tree: FieldTree): void {
    this.nodes++;
    for (const step in tree) {
      this.hash = (Math.imul(this.hash, 31) + step.length * 256 + step.charCodeAt(step.length - 1)) >>> 0;
      this.visit(tree[step] as FieldTree);
    }
    this.hash = (this.hash ^ this.nodes) >>> 0;
  }
}

function areSame(left: FieldTree, right: FieldTree): boolean {
  if (left === right) return true;
  const [steps, others] = [Object.keys(left), Object.keys(right)];
  if (steps.length !== others.length) return false;
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at]!;
    if (step !== others[at] || !areSame(left[step] as FieldTree, right[step] as FieldTree)) return false;
  }
  return true;
}
