import type { CelEnvironment } from '../environment.ts';
import type { CelType } from '../types/types.ts';
import { typeType } from '../types/types.ts';
import { TypeValue, type Value } from '../values/value.ts';

/** What a name stands for. A constant carries its value. */
export interface Resolved {
  readonly name: string;
  readonly type: CelType;
  readonly value?: Value;
  /** A variable of a surrounding loop, rather than of the environment. */
  readonly local: boolean;
}

/** A type that an expression constructs. The name is not always the type's: `google.protobuf.Int64Value{}` is an int. */
export interface Constructed {
  readonly name: string;
  readonly type: CelType;
}

/** Names that loops declare, innermost first, in front of those of the environment. */
export class Scope {
  readonly #environment: CelEnvironment;
  readonly #locals: ReadonlyMap<string, CelType>;

  constructor(environment: CelEnvironment, locals: ReadonlyMap<string, CelType> = new Map()) {
    this.#environment = environment;
    this.#locals = locals;
  }

  with(declared: Readonly<Record<string, CelType>>): Scope {
    return new Scope(this.#environment, new Map([...this.#locals, ...Object.entries(declared)]));
  }

  /** Names under which `name` is looked for, the innermost container first. */
  candidates(name: string): readonly string[] {
    if (name.startsWith('.')) return [name.slice(1)];
    const parts = this.#environment.container === '' ? [] : this.#environment.container.split('.');
    const candidates: string[] = [];
    for (let length = parts.length; length > 0; length--) candidates.push([...parts.slice(0, length), name].join('.'));
    return [...candidates, name];
  }

  /** A name with its qualifiers: `['a', 'b']` of `a.b`. */
  resolve(qualifiers: readonly string[]): Resolved | undefined {
    const [first = ''] = qualifiers;
    const local = this.#locals.get(first);
    if (local !== undefined) {
      // A qualified name that begins with a local variable is a selection from it.
      return qualifiers.length === 1 ? { name: first, type: local, local: true } : undefined;
    }
    for (const candidate of this.candidates(qualifiers.join('.'))) {
      const found = this.#global(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #global(name: string): Resolved | undefined {
    const { variables, types } = this.#environment;
    const variable = variables.get(name);
    if (variable !== undefined) return { name, type: variable, local: false };
    const constant = types.findConstant?.(name);
    if (constant !== undefined) return { name, ...constant, local: false };
    const type = types.findType(name);
    return type === undefined ? undefined : { name, type: typeType(type), value: new TypeValue(type), local: false };
  }

  /** The type that `name{…}` constructs, and its full name. */
  resolveType(name: string): Constructed | undefined {
    for (const candidate of this.candidates(name)) {
      const type = this.#environment.types.findType(candidate);
      if (type !== undefined) return { name: candidate, type };
    }
    return undefined;
  }

  resolveFunction(name: string): string | undefined {
    return this.candidates(name).find((candidate) => this.#environment.functions.has(candidate));
  }
}
