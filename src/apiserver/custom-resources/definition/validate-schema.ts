import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { isKnownFormat } from '../structural/formats.ts';
import { isSchema, structuralNode } from '../structural/node.ts';
import { isSaid, unsupportedIn } from '../structural/unsupported.ts';
import { resolveFieldPath } from '../validation-rules/field-path.ts';
import { validateListType } from './validate-list-type.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** Where a schema stands in that of a whole object. */
interface Surroundings {
  readonly isRoot: boolean;
  /** Among the fields that every object has: its own, or those of an object in it. */
  readonly isInMetadata: boolean;
  /** Why there may be no defaults, if so. */
  readonly noDefaults: string | undefined;
}

const top: Surroundings = { isRoot: true, isInMetadata: false, noDefaults: undefined };
const objectFields = new Set(['metadata', 'kind', 'apiVersion']);

/** What a schema may not say, here and in all schemas inside it. */
export function validateSchema(props: JSONSchemaProps, path: string, around = top): FieldError[] {
  const errors: FieldError[] = [...validateWords(props, path, around)];
  if (props.uniqueItems === true)
    errors.push(
      fieldError.forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  const additional: unknown = props.additionalProperties;
  const hasProperties = Object.keys(props.properties ?? {}).length > 0;
  if (additional !== undefined && hasProperties && additional !== true)
    errors.push(
      fieldError.forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  return [
    ...errors,
    ...validateInner(props, path, { ...around, isRoot: false }, around.isRoot),
    ...(props['x-kubernetes-preserve-unknown-fields'] === false
      ? [fieldError.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')]
      : []),
    ...validateMapType(props, path),
    ...validateListType(props, path),
    ...validateRules(props, path),
  ];
}

/** @param isRoot whether `props` is the schema of a whole object. */
function validateInner(props: JSONSchemaProps, path: string, around: Surroundings, isRoot: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const additional: unknown = props.additionalProperties;
  if (isSchema(additional)) {
    const reason = 'inside additionalProperties applying to object metadata';
    const own = around.isInMetadata ? { ...around, noDefaults: reason } : around;
    errors.push(...validateSchema(additional, `${path}.additionalProperties`, own));
  }
  const isObject = isRoot || props['x-kubernetes-embedded-resource'] === true;
  for (const [name, inner] of Object.entries(props.properties ?? {})) {
    const isOfAll = isObject && objectFields.has(name);
    const noDefaults = isOfAll && isRoot ? `in top-level ${name}` : around.noDefaults;
    const own = isOfAll ? { ...around, isInMetadata: true, noDefaults } : around;
    errors.push(...validateSchema(inner, `${path}.properties[${name}]`, own));
  }
  if (props.not !== undefined) errors.push(...validateSchema(props.not, `${path}.not`, around));
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const)
    for (const [index, inner] of (props[junctor] ?? []).entries())
      errors.push(...validateSchema(inner, `${path}.${junctor}[${index}]`, around));
  for (const [name, inner] of Object.entries(props.definitions ?? {}))
    errors.push(...validateSchema(inner, `${path}.definitions[${name}]`, around));
  const items: unknown = props.items;
  if (isSchema(items)) errors.push(...validateSchema(items, `${path}.items`, around));
  for (const [index, inner] of (Array.isArray(items) ? (items as readonly JSONSchemaProps[]) : []).entries())
    errors.push(...validateSchema(inner, `${path}.items[${index}]`, around));
  for (const [name, inner] of Object.entries((props.dependencies ?? {}) as Readonly<Record<string, unknown>>))
    if (isSchema(inner)) errors.push(...validateSchema(inner, `${path}.dependencies[${name}]`, around));
  return errors;
}

/** Formats in a schema that nobody holds values to. */
export function unknownFormats(props: JSONSchemaProps): readonly string[] {
  const { format = '', type } = props;
  const own = format === '' || isKnownFormat(format, type) ? [] : [format];
  return [...own, ...[...innerSchemas(props, '')].flatMap(([inner]) => unknownFormats(inner))];
}

/** The schemas directly inside a schema, each with its path. */
function* innerSchemas(props: JSONSchemaProps, path: string): Generator<readonly [JSONSchemaProps, string]> {
  const additional: unknown = props.additionalProperties;
  if (isSchema(additional)) yield [additional, `${path}.additionalProperties`];
  for (const [name, inner] of Object.entries(props.properties ?? {})) yield [inner, `${path}.properties[${name}]`];
  if (props.not !== undefined) yield [props.not, `${path}.not`];
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const)
    for (const [index, inner] of (props[junctor] ?? []).entries()) yield [inner, `${path}.${junctor}[${index}]`];
  if (isSchema(props.items)) yield [props.items, `${path}.items`];
}

/** Words of JSON schema that mean nothing here, with whether they are refused even when they say nothing. */
const unsupported: readonly (readonly [word: keyof JSONSchemaProps, whenEmpty: boolean])[] = [
  ['id', false],
  ['additionalItems', true],
  ['patternProperties', false],
  ['definitions', false],
  ['dependencies', true],
  ['$ref', true],
];

function validateWords(props: JSONSchemaProps, path: string, around: Surroundings): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '' } = props;
  const sent = emptiedFields(props);
  if (type !== '' && !types.includes(type)) errors.push(fieldError.notSupported(`${path}.type`, type, types));
  if (props.default !== undefined && around.noDefaults !== undefined)
    errors.push(fieldError.forbidden(`${path}.default`, `must not be set ${around.noDefaults}`));
  for (const [word, whenEmpty] of unsupported)
    if (isSaid(props[word]) || (whenEmpty && (props[word] ?? sent[word]) !== undefined))
      errors.push(fieldError.forbidden(`${path}.${word}`, `${word} is not supported`));
  if (type === 'null')
    errors.push(fieldError.forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  const items: unknown = props.items;
  if (Array.isArray(items) && items.length > 0)
    errors.push(fieldError.forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  if (around.isInMetadata && props['x-kubernetes-embedded-resource'] === true)
    errors.push(
      fieldError.forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'),
    );
  return errors;
}

function validateMapType(props: JSONSchemaProps, path: string): FieldError[] {
  const mapType = props['x-kubernetes-map-type'];
  if (mapType === undefined) return [];
  const errors: FieldError[] = [];
  const detail = 'must be object if x-kubernetes-map-type is specified';
  if ((props.type ?? '') === '') errors.push(fieldError.required(`${path}.type`, detail));
  else if (props.type !== 'object') errors.push(fieldError.invalid(`${path}.type`, props.type, detail));
  if (mapType !== 'atomic' && mapType !== 'granular')
    errors.push(fieldError.notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  return errors;
}

const reasons = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueDuplicate'];
const lineBreak = /[\n\r]/;

/** The form of validation rules; whether they compile is another matter. */
function validateRules(props: JSONSchemaProps, path: string): FieldError[] {
  return (props['x-kubernetes-validations'] ?? []).flatMap((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const errors: FieldError[] = [];
    const text = (rule.rule ?? '').trim();
    const { message = '', fieldPath = '' } = rule;
    if (text === '') errors.push(fieldError.required(`${at}.rule`, 'rule is not specified'));
    else if (message !== '' && message.trim() === '')
      errors.push(fieldError.invalid(`${at}.message`, message, 'must be non-empty if specified'));
    else if (lineBreak.test(message.trim()))
      errors.push(fieldError.invalid(`${at}.message`, message, 'must not contain line breaks'));
    else if (lineBreak.test(text) && message.trim() === '')
      errors.push(fieldError.required(`${at}.message`, 'message must be specified if rule contains line breaks'));
    if ((rule.messageExpression ?? '') !== '' && rule.messageExpression!.trim() === '')
      errors.push(fieldError.required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    if (rule.reason !== undefined && !reasons.includes(rule.reason))
      errors.push(fieldError.notSupported(`${at}.reason`, rule.reason, reasons));
    if (fieldPath !== '' && fieldPath.trim() === '')
      errors.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified'));
    if (lineBreak.test(fieldPath))
      errors.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'));
    if (fieldPath !== '' && !hasField(props, fieldPath))
      errors.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, 'must be a valid path'));
    return errors;
  });
}

/** Where no structural schema can be made of it, nothing can be said. */
function hasField(props: JSONSchemaProps, path: string): boolean {
  return unsupportedIn(props) !== undefined || resolveFieldPath(path, structuralNode(props)) !== undefined;
}
