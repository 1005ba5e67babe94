import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { GoMap } from '#machinery/errors.ts';
import type { Json } from '#machinery/meta.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { isSchema } from '../structural/node.ts';

/** How the field of upstream's struct holds a value: what it shows of one, and of none. */
type Holding =
  | 'text'
  | 'flag'
  | 'pointer'
  | 'value'
  | 'list'
  | 'values'
  | 'schema'
  | 'schemas'
  | 'map'
  | 'items'
  | 'either';

/** Upstream's own struct of a schema, by whose fields its messages go: name there, name here. */
const fields: readonly (readonly [name: string, word: keyof JSONSchemaProps, holding: Holding])[] = [
  ['ID', 'id', 'text'],
  ['Schema', '$schema', 'text'],
  ['Ref', '$ref', 'pointer'],
  ['Description', 'description', 'text'],
  ['Type', 'type', 'text'],
  ['Nullable', 'nullable', 'flag'],
  ['Format', 'format', 'text'],
  ['Title', 'title', 'text'],
  ['Default', 'default', 'value'],
  ['Maximum', 'maximum', 'pointer'],
  ['ExclusiveMaximum', 'exclusiveMaximum', 'flag'],
  ['Minimum', 'minimum', 'pointer'],
  ['ExclusiveMinimum', 'exclusiveMinimum', 'flag'],
  ['MaxLength', 'maxLength', 'pointer'],
  ['MinLength', 'minLength', 'pointer'],
  ['Pattern', 'pattern', 'text'],
  ['MaxItems', 'maxItems', 'pointer'],
  ['MinItems', 'minItems', 'pointer'],
  ['UniqueItems', 'uniqueItems', 'flag'],
  ['MultipleOf', 'multipleOf', 'pointer'],
  ['Enum', 'enum', 'values'],
  ['MaxProperties', 'maxProperties', 'pointer'],
  ['MinProperties', 'minProperties', 'pointer'],
  ['Required', 'required', 'list'],
  ['Items', 'items', 'items'],
  ['AllOf', 'allOf', 'schemas'],
  ['OneOf', 'oneOf', 'schemas'],
  ['AnyOf', 'anyOf', 'schemas'],
  ['Not', 'not', 'schema'],
  ['Properties', 'properties', 'map'],
  ['AdditionalProperties', 'additionalProperties', 'either'],
  ['PatternProperties', 'patternProperties', 'map'],
  ['Dependencies', 'dependencies', 'map'],
  ['AdditionalItems', 'additionalItems', 'either'],
  ['Definitions', 'definitions', 'map'],
  ['ExternalDocs', 'externalDocs', 'value'],
  ['Example', 'example', 'value'],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', 'pointer'],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', 'flag'],
  ['XIntOrString', 'x-kubernetes-int-or-string', 'flag'],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', 'list'],
  ['XListType', 'x-kubernetes-list-type', 'pointer'],
  ['XMapType', 'x-kubernetes-map-type', 'pointer'],
  ['XValidations', 'x-kubernetes-validations', 'list'],
];

function wordOf(props: JSONSchemaProps, word: keyof JSONSchemaProps): unknown {
  return props[word] ?? emptiedFields(props)[word];
}

/** The fields that a schema sets, under upstream's names and in its order; what was sent empty is set. */
export function fieldsSet(props: JSONSchemaProps): readonly string[] {
  return fields
    .filter(([, word, holding]) => {
      const value = wordOf(props, word);
      return value !== undefined && !(holding === 'text' && value === '') && !(holding === 'flag' && value === false);
    })
    .map(([name]) => name);
}

/** A schema as upstream's messages show it. */
export function shownSchema(props: JSONSchemaProps): object {
  return Object.fromEntries(
    fields.map(([name, word, holding]) => [name, shownValue(name, wordOf(props, word), holding)]),
  );
}

function shownValue(name: string, value: unknown, holding: Holding): unknown {
  if (value === undefined) return holding === 'text' ? '' : holding === 'flag' ? false : null;
  switch (holding) {
    case 'value':
      return name === 'ExternalDocs' ? shownDocs(value) : inOrder(value as Json);
    case 'values':
      return (value as readonly Json[]).map(inOrder);
    case 'schema':
      return shownSchema(value as JSONSchemaProps);
    case 'schemas':
      return (value as readonly JSONSchemaProps[]).map(shownSchema);
    case 'map':
      return new GoMap(
        Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, shownEntry(name, inner)])),
      );
    case 'items':
      return shownItems(value);
    case 'either':
      return { Allows: value !== false, Schema: isSchema(value) ? shownSchema(value) : null };
    case 'list':
      return name === 'XValidations' ? (value as readonly Readonly<Record<string, unknown>>[]).map(shownRule) : value;
    default:
      return value;
  }
}

/** What `items` holds: one schema, several, or what is neither. */
export function shownItems(value: unknown): object {
  return {
    Schema: isSchema(value) ? shownSchema(value) : null,
    JSONSchemas: Array.isArray(value) ? (value as readonly JSONSchemaProps[]).map(shownSchema) : null,
  };
}

function shownEntry(name: string, value: unknown): object {
  if (name !== 'Dependencies') return shownSchema(value as JSONSchemaProps);
  return { Schema: isSchema(value) ? shownSchema(value) : null, Property: Array.isArray(value) ? value : null };
}

function shownDocs(value: unknown): object {
  const { description = '', url = '' } = value as { readonly description?: string; readonly url?: string };
  return { Description: description, URL: url };
}

/** A validation rule as upstream's messages show it. */
export function shownRule(rule: Readonly<Record<string, unknown>>): object {
  return {
    Rule: rule['rule'] ?? '',
    Message: rule['message'] ?? '',
    MessageExpression: rule['messageExpression'] ?? '',
    Reason: rule['reason'] ?? null,
    FieldPath: rule['fieldPath'] ?? '',
    OptionalOldSelf: rule['optionalOldSelf'] ?? null,
  };
}

/** Values that are anything are held as maps, whose keys are in order. */
function inOrder(value: Json): unknown {
  if (Array.isArray(value)) return value.map((item: Json) => inOrder(item));
  if (typeof value !== 'object' || value === null) return value;
  return new GoMap(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inOrder(inner as Json)])));
}
