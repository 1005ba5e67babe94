import type { JsonFields } from '../conform.ts';
import { type FieldTree, isEmptyTree, isMember, noFields } from './field-tree.ts';

/** The set, with every field that has a path below it. Items of lists are not fields: they count for themselves. */
export function withNamedParents(root: FieldTree): FieldTree {
  const result: JsonFields = {};
  for (const step of Object.keys(root)) {
    if (step === '.') continue;
    const node = root[step] as FieldTree;
    const children = withNamedParents(node);
    const member = step.startsWith('f:') || isMember(node);
    if (isEmptyTree(children)) result[step] = noFields;
    else result[step] = member ? { '.': noFields, ...children } : children;
  }
  return result;
}
