import type { TypeProvider } from './provider.ts';
import { type CelType, structType } from './types.ts';

/** Types with fields, written out: the fields of each, by the type's name. */
export function tableProvider(types: Readonly<Record<string, Readonly<Record<string, CelType>>>>): TypeProvider {
  return {
    findType: (name) => (Object.hasOwn(types, name) ? structType(name) : undefined),
    findField: (typeName, field) => {
      const fields = Object.hasOwn(types, typeName) ? types[typeName]! : undefined;
      return fields !== undefined && Object.hasOwn(fields, field) ? fields[field] : undefined;
    },
  };
}
