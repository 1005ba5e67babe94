import type { Value } from '../values/value.ts';
import type { CelType } from './types.ts';

/** Knows types with fields: messages, and what an OpenAPI schema describes. */
export interface TypeProvider {
  /** The type that a qualified name stands for. */
  findType(name: string): CelType | undefined;
  /** The type of a field; undefined: there is no such field. */
  findField(typeName: string, field: string): CelType | undefined;
  /** A constant such as an enum's member. */
  findConstant?(name: string): { readonly type: CelType; readonly value: Value } | undefined;
  /** Builds `typeName{field: value}`. Absent: the type cannot be constructed. */
  construct?(typeName: string, fields: ReadonlyMap<string, Value>): Value;
}

/** Asks several providers in turn. */
export function joinProviders(providers: readonly TypeProvider[]): TypeProvider {
  const first = <T>(ask: (provider: TypeProvider) => T | undefined): T | undefined => {
    for (const provider of providers) {
      const answer = ask(provider);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
  return {
    findType: (name) => first((provider) => provider.findType(name)),
    findField: (typeName, field) => first((provider) => provider.findField(typeName, field)),
    findConstant: (name) => first((provider) => provider.findConstant?.(name)),
    construct: (typeName, fields) => {
      const owner = providers.find((provider) => provider.findType(typeName) !== undefined);
      if (owner?.construct === undefined) throw new Error(`type ${typeName} cannot be constructed`);
      return owner.construct(typeName, fields);
    },
  };
}
