import type { SizeKnowledge } from '../../cost/estimate.ts';
import type { Range } from '../../library/library.ts';
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
  stringType,
  structType,
  timestampType,
} from '../../types/types.ts';

/** What a schema says about a value: its type in expressions, how JSON stands for it, how large it can be. */
export interface DeclaredType {
  readonly kind:
    | 'object'
    | 'map'
    | 'list'
    | 'string'
    | 'bytes'
    | 'date'
    | 'dateTime'
    | 'duration'
    | 'boolean'
    | 'integer'
    | 'number'
    | 'intOrString'
    /** Anything: read as it is. */
    | 'any';
  readonly type: CelType;
  /** The most items, keys, code points or bytes. */
  readonly maxElements: number;
  /** The fewest bytes that it takes in JSON. */
  readonly minSize: number;
  /** Of an object: by the identifiers that expressions use. */
  readonly fields: ReadonlyMap<string, DeclaredField>;
  /** Items of a list, values of a map. */
  readonly element: DeclaredType | undefined;
  /** Of a list: how items are told apart. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listKeys: readonly string[];
}

export interface DeclaredField {
  /** As it stands in JSON. */
  readonly property: string;
  readonly declared: DeclaredType;
}

/** The largest request that the server takes; what fits into it bounds what no schema bounds. */
export const maxRequestBytes: number = 3 * 1024 * 1024;
const maxTextLength: number = maxRequestBytes - 2;

const noFields: ReadonlyMap<string, DeclaredField> = new Map();

function scalar(kind: DeclaredType['kind'], type: CelType, minSize: number, maxElements = 0): DeclaredType {
  return {
    kind,
    type,
    minSize,
    maxElements,
    fields: noFields,
    element: undefined,
    listType: 'atomic',
    listKeys: [],
  };
}

/** Sizes of the shortest texts, quotes included, and of the longest times. */
export const declared = {
  boolean: scalar('boolean', boolType, 4),
  integer: scalar('integer', intType, 1),
  number: scalar('number', doubleType, 1),
  any: scalar('any', dynType, 1),
  duration: scalar('duration', durationType, 3, 32),
  date: scalar('date', timestampType, 12, 12),
  dateTime: scalar('dateTime', timestampType, 21, 32),
  string: (maxElements = maxTextLength): DeclaredType => scalar('string', stringType, 2, maxElements),
  bytes: (maxElements = maxTextLength): DeclaredType => scalar('bytes', bytesType, 2, maxElements),
  intOrString: (maxElements = maxTextLength): DeclaredType => scalar('intOrString', dynType, 1, maxElements),
  list: (
    element: DeclaredType,
    maxItems?: number,
    { listType: kind, listKeys }: Pick<DeclaredType, 'listType' | 'listKeys'> = { listType: 'atomic', listKeys: [] },
  ): DeclaredType => ({
    ...scalar('list', listType(element.type), 2, maxItems ?? Math.floor((maxRequestBytes - 2) / (element.minSize + 1))),
    element,
    listType: kind,
    listKeys,
  }),
  map: (element: DeclaredType, maxProperties?: number): DeclaredType => ({
    ...scalar(
      'map',
      mapType(stringType, element.type),
      2,
      maxProperties ?? Math.floor((maxRequestBytes - 2) / (element.minSize + 6)),
    ),
    element,
  }),
  /** `required`: properties without a default that must be there. */
  object: (fields: ReadonlyMap<string, DeclaredField>, required: ReadonlySet<string> = new Set()): DeclaredType => {
    let minSize = 2;
    for (const {
      property,
      declared: { minSize: own },
    } of fields.values()) {
      if (required.has(property)) minSize += property.length + own + 4;
    }
    return { ...scalar('object', structType('object'), minSize), fields };
  },
} as const;

/** A field by its identifier; one whose name is a keyword of CEL may also be called by that name. */
export function fieldOf({ fields }: DeclaredType, identifier: string): DeclaredField | undefined {
  return fields.get(identifier) ?? fields.get(`__${identifier}__`);
}

/** The same with names for its objects, which are found under them: `name`, `name.field`, `name.field.@idx`. */
export function nameTypes(
  root: DeclaredType,
  name: string,
): { readonly root: DeclaredType; readonly types: TypeProvider } {
  const byName = new Map<string, DeclaredType>();
  const assign = (own: DeclaredType, path: string): DeclaredType => {
    if (own.kind === 'list') return declared.list(assign(own.element!, `${path}.@idx`), own.maxElements, own);
    if (own.kind === 'map') return declared.map(assign(own.element!, `${path}.@elem`), own.maxElements);
    if (own.kind !== 'object') return own;
    const fields = new Map<string, DeclaredField>();
    for (const [field, { property, declared: type }] of own.fields) {
      fields.set(field, { property, declared: assign(type, `${path}.${field}`) });
    }
    const named = { ...own, type: structType(path), fields };
    byName.set(path, named);
    return named;
  };
  const named = assign(root, name);
  return {
    root: named,
    types: {
      findType: (typeName) => byName.get(typeName)?.type,
      findField: (typeName, field) => {
        const own = byName.get(typeName);
        return own === undefined ? undefined : fieldOf(own, field)?.declared.type;
      },
    },
  };
}

/** Upstream reckons with keys of no length. */
const keyType = declared.string(0);

/** Sizes by path: whatever variable a path begins with, it has the type of `root`. */
export function declaredSizes(root: DeclaredType): SizeKnowledge {
  return {
    sizeAt: ([, ...path]): Range | undefined => {
      let current: DeclaredType | undefined = root;
      for (const step of path) {
        if (current === undefined) return undefined;
        if (step === '@items' || step === '@values') current = current.element;
        else if (step === '@keys') current = current.kind === 'map' ? keyType : undefined;
        else current = current.fields.get(step)?.declared;
      }
      return current === undefined ? undefined : { min: 0, max: current.maxElements };
    },
  };
}
