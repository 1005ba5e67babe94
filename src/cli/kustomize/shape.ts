import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';

/** What a field of a kustomization holds: a plain value, a map or list of one shape, or named fields. */
type Shape = 'string' | 'bool' | 'int' | { readonly list: Shape } | { readonly map: Shape } | Fields;
interface Fields {
  /** The name that messages use for the type. */
  readonly struct: string;
  readonly fields: Readonly<Record<string, Shape>>;
}

const texts = { list: 'string' } as const;
const pairs = { map: 'string' } as const;
const struct = (name: string, fields: Readonly<Record<string, Shape>>): Fields => ({ struct: name, fields });
const strings = (...names: readonly string[]): Readonly<Record<string, Shape>> =>
  Object.fromEntries(names.map((name) => [name, 'string']));

const selectorFields = strings('group', 'version', 'kind', 'name', 'namespace', 'labelSelector', 'annotationSelector');
const options = struct('GeneratorOptions', {
  labels: pairs,
  annotations: pairs,
  disableNameSuffixHash: 'bool',
  immutable: 'bool',
});
const generator = struct('GeneratorArgs', {
  ...strings('name', 'namespace', 'behavior', 'type', 'env'),
  literals: texts,
  files: texts,
  envs: texts,
  options,
});
const patch = struct('Patch', {
  ...strings('path', 'patch'),
  target: struct('Selector', selectorFields),
  options: struct('PatchArgs', { allowNameChange: 'bool', allowKindChange: 'bool' }),
});
const fieldSpec = struct('FieldSpec', { ...strings('group', 'version', 'kind', 'path'), create: 'bool' });
const fieldOptions = struct('FieldOptions', { delimiter: 'string', index: 'int', create: 'bool', encoding: 'string' });
const image = struct('Image', strings('name', 'newName', 'newTag', 'tagSuffix', 'digest'));

const kustomization = struct('Kustomization', {
  ...strings('apiVersion', 'kind', 'namespace', 'namePrefix', 'nameSuffix'),
  metadata: struct('ObjectMeta', { name: 'string', namespace: 'string', labels: pairs, annotations: pairs }),
  resources: texts,
  bases: texts,
  components: texts,
  commonLabels: pairs,
  commonAnnotations: pairs,
  labels: {
    list: struct('Label', {
      pairs,
      includeSelectors: 'bool',
      includeTemplates: 'bool',
      fields: { list: fieldSpec },
    }),
  },
  configMapGenerator: { list: generator },
  secretGenerator: { list: generator },
  generatorOptions: options,
  patches: { list: patch },
  patchesJson6902: { list: patch },
  patchesStrategicMerge: texts,
  images: { list: image },
  imageTags: { list: image },
  replicas: { list: struct('Replica', { name: 'string', count: 'int' }) },
  replacements: {
    list: struct('ReplacementField', {
      ...strings('path', 'sourceValue'),
      source: struct('SourceSelector', { ...selectorFields, fieldPath: 'string', options: fieldOptions }),
      targets: {
        list: struct('TargetSelector', {
          select: struct('Selector', selectorFields),
          reject: { list: struct('Selector', selectorFields) },
          fieldPaths: texts,
          options: fieldOptions,
        }),
      },
    }),
  },
  sortOptions: struct('SortOptions', {
    order: 'string',
    legacySortOptions: struct('LegacySortOptions', { orderFirst: texts, orderLast: texts }),
  }),
});

/** Throws CliError for a field that a kustomization does not have, or that holds something else, in Go's words. */
export function checkShape(value: Json): void {
  check(value, kustomization, { struct: 'Kustomization', path: '' });
}

/** Where a value stands: within which type, and by which names. */
interface Place {
  readonly struct: string;
  readonly path: string;
}

function check(value: Json | undefined, shape: Shape, place: Place): void {
  if (value === null || value === undefined) return;
  if (typeof shape === 'string') return checkPlain(value, shape, place);
  if ('list' in shape) {
    if (!Array.isArray(value)) throw mismatch(value, '[]string', place);
    for (const item of value) check(item, shape.list, place);
    return;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw mismatch(value, 'map' in shape ? 'map[string]string' : `types.${shape.struct}`, place);
  }
  for (const [name, below] of Object.entries(value as JsonObject)) {
    if ('map' in shape) {
      check(below, shape.map, place);
      continue;
    }
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (field === undefined) throw new CliError(`invalid Kustomization: json: unknown field ${JSON.stringify(name)}`);
    check(below, field, { struct: shape.struct, path: place.path === '' ? name : `${place.path}.${name}` });
  }
}

function checkPlain(value: Json, shape: 'string' | 'bool' | 'int', place: Place): void {
  const isRight =
    shape === 'string'
      ? typeof value === 'string'
      : shape === 'bool'
        ? typeof value === 'boolean'
        : typeof value === 'bigint' || Number.isInteger(value);
  if (!isRight) throw mismatch(value, shape, place);
}

function mismatch(value: Json, wanted: string, { struct: name, path }: Place): CliError {
  const found = Array.isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'bigint'
        ? 'number'
        : typeof value;
  return new CliError(
    `invalid Kustomization: json: cannot unmarshal ${found} into Go struct field ${name}.${path} of type ${wanted}`,
  );
}
