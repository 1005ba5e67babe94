import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { isSchema } from './node.ts';
import { patternProblem } from './patterns.ts';

type Level = 'root' | 'item' | 'field';

/**
 * What keeps a schema from being structural (KEP-1178): every place has a type, and junctors (`allOf`, `anyOf`, `oneOf`,
 * `not`) say nothing of the structure.
 */
export function checkStructure(props: JSONSchemaProps, path: string): FieldError[] {
  return [...checkPlace(props, 'root', path), ...checkCompleteness(props, path)].sort((left, right) =>
    left.path + left.message < right.path + right.message ? -1 : 1,
  );
}

function checkPlace(props: JSONSchemaProps, level: Level, path: string): FieldError[] {
  const { type = '', items, properties = {} } = props;
  const additional: unknown = props.additionalProperties;
  const errors: FieldError[] = [];
  if (type === 'array' && !isSchema(items)) errors.push(fieldError.required(`${path}.items`, 'must be specified'));
  if (isSchema(items)) errors.push(...checkPlace(items, 'item', `${path}.items`));
  for (const [name, inner] of Object.entries(properties))
    errors.push(...checkPlace(inner, 'field', `${path}.properties[${name}]`));
  if (additional !== undefined && level === 'root')
    errors.push(fieldError.forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  if (isSchema(additional)) errors.push(...checkPlace(additional, 'field', `${path}.additionalProperties`));
  errors.push(...checkExtensions(props, path), ...checkType(props, level, path));
  errors.push(...checkJunctors(props, path, isIntOrString(props.anyOf), isIntOrString(props.allOf?.[0]?.anyOf)));
  return [...errors, ...checkObjectFields(props, level, path)];
}

function checkExtensions(props: JSONSchemaProps, path: string): FieldError[] {
  if (props['x-kubernetes-int-or-string'] !== true) return [];
  const errors: FieldError[] = [];
  for (const extension of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
    if (props[extension] !== true) continue;
    const detail = 'must be false if x-kubernetes-int-or-string is true';
    errors.push(fieldError.invalid(`${path}.${extension}`, true, detail));
  }
  return errors;
}

const emptyTypeDetails: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkType(props: JSONSchemaProps, level: Level, path: string): FieldError[] {
  const { type = '' } = props;
  const embedded = props['x-kubernetes-embedded-resource'] === true;
  const mayBeEmpty =
    props['x-kubernetes-int-or-string'] === true || props['x-kubernetes-preserve-unknown-fields'] === true;
  const errors: FieldError[] = [];
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(
      type === '' ? fieldError.required(`${path}.type`, detail) : fieldError.invalid(`${path}.type`, type, detail),
    );
  } else if (type === '' && !mayBeEmpty) errors.push(fieldError.required(`${path}.type`, emptyTypeDetails[level]));
  if (embedded && props.additionalProperties !== undefined)
    errors.push(
      fieldError.forbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'),
    );
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(fieldError.invalid(`${path}.type`, type, 'must be object at the root'));
  return errors;
}

/** What a schema says of `apiVersion`, `kind` and `metadata`, which every object has by itself. */
function checkObjectFields(props: JSONSchemaProps, level: Level, path: string): FieldError[] {
  const embedded = props['x-kubernetes-embedded-resource'] === true;
  const { properties = {} } = props;
  const errors: FieldError[] = [];
  if (level === 'root' || embedded) {
    for (const name of ['kind', 'apiVersion'] as const) {
      const inner = properties[name];
      if (inner !== undefined && inner.type !== 'string')
        errors.push(fieldError.invalid(`${path}.properties[${name}].type`, inner.type ?? '', 'must be string'));
    }
    const { metadata } = properties;
    if (metadata !== undefined && metadata.type !== 'object')
      errors.push(fieldError.invalid(`${path}.properties[metadata].type`, metadata.type ?? '', 'must be object'));
  }
  if (level === 'root' && properties['metadata'] !== undefined && saysMore(properties['metadata']))
    errors.push(
      fieldError.forbidden(
        `${path}.properties[metadata]`,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  const isEmpty = Object.keys(properties).length === 0;
  if (embedded && props['x-kubernetes-preserve-unknown-fields'] !== true && isEmpty)
    errors.push(
      fieldError.required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
  return errors;
}

function saysMore({ properties = {}, type: _, default: __, ...rest }: JSONSchemaProps): boolean {
  const others = Object.keys(properties).filter((name) => name !== 'name' && name !== 'generateName');
  return others.length > 0 || Object.keys(rest).length > 0;
}

function isIntOrString(schemas: readonly JSONSchemaProps[] | undefined): boolean {
  return (
    schemas?.length === 2 &&
    schemas.every((schema, index) => Object.keys(schema).length === 1 && schema.type === ['integer', 'string'][index])
  );
}

/** The `anyOf` of an int-or-string may name its two types. */
function checkJunctors(
  props: JSONSchemaProps,
  path: string,
  skipsAnyOf: boolean,
  skipsFirstAllOf: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!skipsAnyOf)
    for (const [index, inner] of (props.anyOf ?? []).entries())
      errors.push(...checkNested(inner, `${path}.anyOf[${index}]`));
  for (const [index, inner] of (props.allOf ?? []).entries())
    errors.push(...checkNested(inner, `${path}.allOf[${index}]`, skipsFirstAllOf && index === 0));
  for (const [index, inner] of (props.oneOf ?? []).entries())
    errors.push(...checkNested(inner, `${path}.oneOf[${index}]`));
  if (props.not !== undefined) errors.push(...checkNested(props.not, `${path}.not`));
  const problem = patternProblem(props.pattern ?? '');
  if (problem !== undefined)
    errors.push(
      fieldError.invalid(`${path}.pattern`, props.pattern, `must be a valid regular expression, but isn't: ${problem}`),
    );
  return errors;
}

/** What a schema under a junctor may not say, with the words that refuse it. */
const structuralWords: readonly (readonly [word: keyof JSONSchemaProps, detail: string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function checkNested(props: JSONSchemaProps, path: string, skipsAnyOf = false): FieldError[] {
  const errors = checkJunctors(props, path, skipsAnyOf, false);
  if (isSchema(props.items)) errors.push(...checkNested(props.items, `${path}.items`));
  for (const [name, inner] of Object.entries(props.properties ?? {}))
    errors.push(...checkNested(inner, `${path}.properties[${name}]`));
  for (const [word, detail] of structuralWords) {
    const value = props[word];
    const mayBeEmpty = !detail.startsWith('must be undefined');
    const isUnset =
      value === undefined ||
      (value === '' && mayBeEmpty) ||
      (word !== 'default' && (value === false || (Array.isArray(value) && value.length === 0)));
    if (!isUnset) errors.push(fieldError.forbidden(`${path}.${word}`, detail));
  }
  if (props.properties?.['metadata'] !== undefined)
    errors.push(fieldError.forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  return errors;
}

/** Fields under a junctor of the whole object have to be declared outside of it as well. */
function checkCompleteness(props: JSONSchemaProps, path: string): FieldError[] {
  return checkJunctorFields(props, props, path, path);
}

/** `path` is where the declaration is, `nestedPath` where the schema under the junctor is. */
function checkJunctorFields(
  nested: JSONSchemaProps,
  declared: JSONSchemaProps,
  path: string,
  nestedPath: string,
): FieldError[] {
  const { not } = nested;
  const under: (readonly [JSONSchemaProps, string])[] = (['allOf', 'anyOf', 'oneOf'] as const).flatMap((junctor) =>
    (nested[junctor] ?? []).map((schema, index) => [schema, `${nestedPath}.${junctor}[${index}]`] as const),
  );
  if (not !== undefined) under.push([not, `${nestedPath}.not`]);
  return under.flatMap(([schema, at]) => checkDeclared(schema, declared, path, at));
}

function checkDeclared(
  nested: JSONSchemaProps,
  declared: JSONSchemaProps,
  path: string,
  nestedPath: string,
): FieldError[] {
  const errors = checkJunctorFields(nested, declared, path, nestedPath);
  for (const [name, inner] of Object.entries(nested.properties ?? {})) {
    const own = declared.properties?.[name];
    const [at, nestedAt] = [`${path}.properties[${name}]`, `${nestedPath}.properties[${name}]`];
    if (own === undefined) errors.push(fieldError.required(at, `because it is defined in ${nestedAt}`));
    else errors.push(...checkDeclared(inner, own, at, nestedAt));
  }
  if (!isSchema(nested.items)) return errors;
  const [at, nestedAt] = [`${path}.items`, `${nestedPath}.items`];
  if (!isSchema(declared.items)) return [...errors, fieldError.required(at, `because it is defined in ${nestedAt}`)];
  return [...errors, ...checkDeclared(nested.items, declared.items, at, nestedAt)];
}
