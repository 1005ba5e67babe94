import type { TypeProvider } from '../../types/provider.ts';
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  stringType,
  timestampType,
  typeType,
  uintType,
} from '../../types/types.ts';
import { TypeValue } from '../../values/value.ts';
import type { Library } from '../library.ts';
import { standardMacros } from '../macros.ts';
import { conversions } from './conversions.ts';
import { operators } from './operators.ts';
import { textAndTime } from './text-and-time.ts';

const namedTypes: ReadonlyMap<string, CelType> = new Map(
  [
    boolType,
    bytesType,
    doubleType,
    durationType,
    intType,
    listType(dynType),
    mapType(dynType, dynType),
    nullType,
    stringType,
    timestampType,
    typeType(),
    uintType,
  ].map((type) => [type.name, type]),
);

/** Names of types are constants: `type(x) == int`. */
export function typeConstants(types: ReadonlyMap<string, CelType>): TypeProvider {
  return {
    findType: () => undefined,
    findField: () => undefined,
    findConstant: (name) => {
      const type = types.get(name);
      return type === undefined ? undefined : { type: typeType(type), value: new TypeValue(type) };
    },
  };
}

/** What CEL itself defines. */
export const standardLibrary: Library = {
  name: 'cel.lib.std',
  overloads: [...operators, ...conversions, ...textAndTime],
  macros: standardMacros,
  types: typeConstants(namedTypes),
};
