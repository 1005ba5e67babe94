import type { StructuralNode } from '../structural/node.ts';

const step = /^(?:\.([^.[\]]+)|\['((?:[^'\\]|\\[abfnrtv'\\])*)'\])/;

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/**
 * The path that a rule's `fieldPath` names, as errors print it: `.spec.names['a.b']` becomes `spec.names[a.b]`.
 * Undefined: the schema has no such place.
 */
export function resolveFieldPath(text: string, schema: StructuralNode): string | undefined {
  let rest = text;
  let node: StructuralNode | undefined = schema;
  let path = '';
  while (rest !== '') {
    const match = step.exec(rest);
    if (match === null || node === undefined) return undefined;
    rest = rest.slice(match[0].length);
    const name: string = match[1] ?? match[2]!.replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
    if (node.properties.size > 0) {
      node = node.properties.get(name);
      if (node === undefined) return undefined;
      path += path === '' ? name : `.${name}`;
    } else if (typeof node.additional === 'object') {
      node = node.additional;
      path += `[${name}]`;
    } else return undefined;
  }
  return path;
}
