import type { StructuralNode } from '../structural/node.ts';

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A place that a path leads to. */
export interface FoundField {
  /** The path as errors print it: `.spec.names['a.b']` becomes `spec.names[a.b]`. */
  readonly path: string;
  readonly node: StructuralNode;
}

const nowhere = 'does not refer to a valid field';
const cutOff = 'unexpected end of JSON path';

/**
 * Where a path of fields leads in a schema, or why nowhere.
 * @param allowsArrays whether `['name']` may stand for `.name`.
 */
export function findField(text: string, schema: StructuralNode, allowsArrays = true): FoundField | string {
  const tokens = text.match(/[.[\]]|'(?:\\.|[^'\\])*'|[^.[\]]+/g) ?? [];
  let found: FoundField | undefined = { path: '', node: schema };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    if (token !== '[' && token !== '.') return `expected [ or . but got: ${token}`;
    if (token === '[' && !allowsArrays) return 'array notation is not allowed';
    const name = tokens[++index];
    if (name === undefined) return cutOff;
    if (token === '.') found = fieldOf(found, name);
    else {
      if (!/^'.*'$/s.test(name) || name.length < 2) return `expected single quoted string but got ${name}`;
      found = fieldOf(
        found,
        name.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter),
      );
    }
    if (found === undefined) return nowhere;
    if (token === '.') continue;
    const end = tokens[++index];
    if (end === undefined) return cutOff;
    if (end !== ']') return `expected ] but got ${end}`;
  }
  return found;
}

function fieldOf({ path, node }: FoundField, name: string): FoundField | undefined {
  if (node.properties.size > 0) {
    const inner = node.properties.get(name);
    return inner && { path: path === '' ? name : `${path}.${name}`, node: inner };
  }
  if (typeof node.additional !== 'object') return undefined;
  return { path: `${path}[${name}]`, node: node.additional };
}

/** The path that a rule's `fieldPath` names; undefined: the schema has no such place. */
export function resolveFieldPath(text: string, schema: StructuralNode): string | undefined {
  const found = findField(text, schema);
  return typeof found === 'string' ? undefined : found.path;
}
