import { conform, type JsonFields, setOwn } from '../conform.ts';
import { equalValues } from '../equality.ts';
import { ApiError, badRequest } from '../errors.ts';
import { stringifyJson } from '../json.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, ListSchema } from '../schema.ts';

/** How many operations one patch may have. */
const maximumOperations = 10_000;
/** How much text `copy` operations may add together: patches must not grow a document without bound. */
const maximumCopiedCharacters = 3 * 1024 * 1024;

type Container = Json[] | JsonFields;

interface Operation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly value: Json;
}

/**
 * Applies a JSON Patch (RFC 6902) as the official server does: negative indices count from the end, and `replace` of
 * a member that is not there adds it. The original is not touched; the result shares what did not change. Throws
 * ApiError: 400 for what is no patch, 413 for too many operations, 422 for a patch that does not fit the document.
 */
export function applyJsonPatch(original: JsonObject, patch: unknown): Json {
  const operations = readOperations(patch);
  const document = new Document(original);
  for (const operation of operations) {
    try {
      document.apply(operation);
    } catch (error) {
      if (error instanceof Misfit) throw new ApiError(422, '', error.message);
      throw error;
    }
  }
  return document.root;
}

/** What of a patch no operation has, such as `[0].foo`. @throws DecodeError for what is no list of operations. */
export function unknownInJsonPatch(patch: Json): readonly string[] {
  return conform(patch, operationList).unknown;
}

function operationField(name: string, type: 'string' | 'any'): Field {
  return {
    name,
    schema: { type, message: '' },
    required: false,
    presence: 'optional',
    keyDefault: undefined,
    number: 0,
    around: [],
    wrapped: false,
    patchStrategies: [],
    patchMergeKey: undefined,
  };
}

const operationList: ListSchema = {
  type: 'list',
  items: {
    type: 'object',
    name: 'handlers.jsonPatchOp',
    fields: new Map(
      ['from', 'op', 'path', 'value'].map((name) => [name, operationField(name, name === 'value' ? 'any' : 'string')]),
    ),
    atomic: false,
    preserveUnknown: false,
  },
  listType: 'atomic',
  keys: [],
};

function readOperations(patch: unknown): readonly Operation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  if (patch.length > maximumOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${maximumOperations}, got ${patch.length}`;
    throw new ApiError(413, 'RequestEntityTooLarge', message);
  }
  return patch.map((step: unknown) => {
    const { op, path, from, value } = (step ?? {}) as Readonly<Record<string, unknown>>;
    return {
      op: typeof op === 'string' ? op : 'unknown',
      path: typeof path === 'string' ? path : undefined,
      from: typeof from === 'string' ? from : undefined,
      value: (value ?? null) as Json,
    };
  });
}

/** An operation that does not fit the document. */
class Misfit extends Error {}

/** The document under change: containers are copied when they are first written to. */
class Document {
  root: Json;
  readonly #copied = new Set<object>();
  #copiedCharacters = 0;

  constructor(original: JsonObject) {
    this.root = original;
  }

  apply(operation: Operation): void {
    const { op, value } = operation;
    const path = (): string => required(operation.path, `${op} operation failed to decode path`);
    if (op === 'add') this.#add(path(), value);
    else if (op === 'remove') this.#remove(path());
    else if (op === 'replace') this.#replace(path(), value);
    else if (op === 'move') this.#move(operation);
    else if (op === 'copy') this.#copy(operation);
    else if (op === 'test') this.#test(path(), value);
    else throw new Misfit(`Unexpected kind: ${op}`);
  }

  #add(path: string, value: Json): void {
    const found = this.#find(path);
    if (found === undefined) {
      throw new Misfit(`add operation does not apply: doc is missing path: "${path}": missing value`);
    }
    try {
      insert(found.container, found.key, value);
    } catch (error) {
      throw new Misfit(`error in add for path: '${path}': ${(error as Error).message}`);
    }
  }

  #remove(path: string): void {
    const found = this.#find(path);
    if (found === undefined) {
      throw new Misfit(`remove operation does not apply: doc is missing path: "${path}": missing value`);
    }
    try {
      take(found.container, found.key);
    } catch (error) {
      throw new Misfit(`error in remove for path: '${path}': ${(error as Error).message}`);
    }
  }

  #replace(path: string, value: Json): void {
    if (path === '') {
      if (typeof value !== 'object' || value === null) {
        throw new Misfit('replace operation value must be object or array: %!w(<nil>)');
      }
      this.root = value;
      return;
    }
    const found = this.#find(path);
    if (found === undefined) {
      throw new Misfit(`replace operation does not apply: doc is missing path: ${path}: missing value`);
    }
    const { container, key } = found;
    if (!Array.isArray(container)) {
      setOwn(container, key, value);
      return;
    }
    try {
      container[indexOf(key, container.length)] = value;
    } catch {
      throw new Misfit(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    }
  }

  #move(operation: Operation): void {
    const from = required(operation.from, 'move operation failed to decode from: operation, missing from field');
    const path = required(operation.path, 'move operation failed to decode path');
    const found = this.#find(from);
    if (found === undefined) {
      throw new Misfit(`move operation does not apply: doc is missing from path: ${from}: missing value`);
    }
    let value: Json;
    try {
      value = take(found.container, found.key);
    } catch (error) {
      throw new Misfit(`error in move for path: '${found.key}': ${(error as Error).message}`);
    }
    this.#put('move', path, value, `error in move for path: '${path}'`);
  }

  #copy(operation: Operation): void {
    const from = required(operation.from, 'copy operation failed to decode from: operation, missing from field');
    const path = required(operation.path, 'copy operation failed to decode path');
    const found = this.#find(from);
    if (found === undefined) {
      throw new Misfit(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
    }
    let value: Json;
    try {
      value = read(found.container, found.key) ?? null;
    } catch (error) {
      throw new Misfit(`error in copy for from: '${from}': ${(error as Error).message}`);
    }
    this.#copiedCharacters += stringifyJson(value).length;
    if (this.#copiedCharacters > maximumCopiedCharacters) {
      const size = `${this.#copiedCharacters} which exceeds limit ${maximumCopiedCharacters}`;
      throw new Misfit(`Unable to complete the copy, the accumulated size increase of copy is ${size}`);
    }
    // Source and target are one value from now on, so neither may be written to in place.
    this.#copied.clear();
    this.#put('copy', path, value, 'error while adding value during copy');
  }

  #put(operation: 'move' | 'copy', path: string, value: Json, failure: string): void {
    const found = this.#find(path);
    if (found === undefined) {
      throw new Misfit(
        `${operation} operation does not apply: doc is missing destination path: ${path}: missing value`,
      );
    }
    try {
      insert(found.container, found.key, value);
    } catch (error) {
      throw new Misfit(`${failure}: ${(error as Error).message}`);
    }
  }

  #test(path: string, expected: Json): void {
    let actual: Json | undefined = this.root;
    if (path !== '') {
      const found = this.#find(path);
      if (found === undefined) {
        throw new Misfit(`test operation does not apply: is missing path: ${path}: missing value`);
      }
      try {
        actual = read(found.container, found.key);
      } catch (error) {
        throw new Misfit(`error in test for path: '${path}': ${(error as Error).message}`);
      }
    }
    if (!equalValues(actual ?? null, expected)) throw new Misfit(`testing value ${path} failed: test failed`);
  }

  /** The container that a path points into, ready to be written to, and the last key; undefined if there is none. */
  #find(path: string): { readonly container: Container; readonly key: string } | undefined {
    const [first, ...steps] = path.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (first === undefined || steps.length === 0) return undefined;
    const key = steps.pop()!;
    let container = this.#own(this.root, (copy) => {
      this.root = copy as Json;
    });
    for (const step of steps) {
      if (container === undefined) return undefined;
      const parent: Container = container;
      let next: Json | undefined;
      try {
        next = read(parent, step);
      } catch {
        return undefined;
      }
      container = this.#own(next, (copy) => {
        if (Array.isArray(parent)) parent[indexOf(step, parent.length)] = copy as Json;
        else setOwn(parent, step, copy as Json);
      });
    }
    return container === undefined ? undefined : { container, key };
  }

  #own(value: Json | undefined, replace: (copy: Container) => void): Container | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    if (this.#copied.has(value)) return value as Container;
    const copy: Container = Array.isArray(value) ? value.slice() : { ...(value as JsonFields) };
    this.#copied.add(copy);
    replace(copy);
    return copy;
  }
}

function required(text: string | undefined, failure: string): string {
  if (text === undefined) throw new Misfit(`${failure}: missing value`);
  return text;
}

function read(container: Container, key: string): Json | undefined {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function insert(container: Container, key: string, value: Json): void {
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === '-') container.push(value);
  else {
    if (!/^[+-]?\d+$/.test(key)) {
      throw new Misfit(`value was not a proper array index: '${key}': ${notANumber(key)}`);
    }
    container.splice(indexOf(key, container.length + 1), 0, value);
  }
}

function take(container: Container, key: string): Json {
  if (Array.isArray(container)) return container.splice(indexOf(key, container.length), 1)[0]!;
  if (!Object.hasOwn(container, key)) throw new Misfit(`Unable to remove nonexistent key: ${key}: missing value`);
  const value = container[key] ?? null;
  delete container[key];
  return value;
}

function indexOf(key: string, length: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw new Misfit(notANumber(key));
  const index = Number(key);
  if (index >= length || index < -length)
    throw new Misfit(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

function notANumber(key: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`;
}
