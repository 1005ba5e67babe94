import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { isKnownFormat } from '../structural/formats.ts';
import { isSchema } from '../structural/node.ts';
import { isSaid } from '../structural/unsupported.ts';
import { validateListType } from './validate-list-type.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** What a schema may not say, here and in all schemas inside it. */
export function validateSchema(props: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [...validateWords(props, path)];
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
  for (const [inner, at] of innerSchemas(props, path)) errors.push(...validateSchema(inner, at));
  if (props['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(fieldError.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  return [...errors, ...validateMapType(props, path), ...validateListType(props, path), ...validateRules(props, path)];
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

const unsupported: readonly (keyof JSONSchemaProps)[] = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
];
/** These are refused even when they say nothing. */
const whenEmpty = new Set<keyof JSONSchemaProps>(['additionalItems', 'dependencies', '$ref']);

/** Words of JSON schema that mean nothing here. */
function validateWords(props: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '' } = props;
  if (type !== '' && !types.includes(type)) errors.push(fieldError.notSupported(`${path}.type`, type, types));
  for (const word of unsupported)
    if (isSaid(props[word]) || (whenEmpty.has(word) && props[word] !== undefined))
      errors.push(fieldError.forbidden(`${path}.${word}`, `${word} is not supported`));
  if (type === 'null')
    errors.push(fieldError.forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (Array.isArray(props.items))
    errors.push(fieldError.forbidden(`${path}.items`, 'items must be a schema object and not an array'));
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
    else if (lineBreak.test(fieldPath.trim()))
      errors.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'));
    return errors;
  });
}
