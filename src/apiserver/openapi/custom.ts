import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import type { CustomForm } from '../resources/custom-form.ts';
import type { OpenApiObject } from './types.ts';

const apiVersionField = {
  description:
    'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
  type: 'string',
};
const kindField = {
  description:
    'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
  type: 'string',
};
const metadataDescription =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const listMetadataDescription =
  'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';

export type Published = CustomForm['published'];

/** References to shared types, as one document writes them. */
export interface MetaReferences {
  readonly version: 2 | 3;
  readonly objectMeta: OpenApiObject;
}

/** The type of a custom kind as OpenAPI publishes it: its schema with what every object has. */
export function customDefinition({ props, selectable }: Published, meta: MetaReferences): OpenApiObject {
  const isOpen = props?.['x-kubernetes-preserve-unknown-fields'] === true;
  // Clients of the older form take a list of properties for all there are.
  if (props === undefined || (isOpen && meta.version === 2)) return { type: 'object', ...selectableFields(selectable) };
  const definition = published(props, meta);
  const properties = withObjectFields(definition['properties'] as OpenApiObject | undefined, meta);
  return { ...definition, properties, ...selectableFields(selectable) };
}

/** Fields that lists and watches may select by. */
function selectableFields(paths: readonly string[]): OpenApiObject {
  if (paths.length === 0) return {};
  return { 'x-kubernetes-selectable-fields': paths.map((fieldPath) => ({ fieldPath })) };
}

/** The type of a list of a custom kind. */
export function customListDefinition(
  { name, plural, selectable }: Published,
  item: OpenApiObject,
  listMeta: OpenApiObject,
  { version }: MetaReferences,
): OpenApiObject {
  const description = `List of ${name.slice(name.lastIndexOf('.') + 1)}`;
  return {
    description,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: apiVersionField,
      items: {
        description: `List of ${plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
        type: 'array',
        items: item,
      },
      kind: kindField,
      metadata: described(listMeta, listMetadataDescription, version),
    },
    ...selectableFields(selectable),
  };
}

/** `com.example.v1.CronTabList`. */
export function customListName({ name, listKind }: Published): string {
  return `${name.slice(0, name.lastIndexOf('.') + 1)}${listKind}`;
}

function withObjectFields(properties: OpenApiObject = {}, { objectMeta, version }: MetaReferences): OpenApiObject {
  const metadata = described(objectMeta, metadataDescription, version);
  return sortedFields({ ...properties, apiVersion: apiVersionField, kind: kindField, metadata });
}

function sortedFields(fields: OpenApiObject): OpenApiObject {
  return Object.fromEntries(Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** In OpenAPI 3 nothing may stand beside a reference. */
function described(reference: OpenApiObject, description: string, version: 2 | 3): OpenApiObject {
  return version === 2 ? { description, ...reference } : { description, allOf: [reference] };
}

function published(props: JSONSchemaProps, meta: MetaReferences): OpenApiObject {
  const node = meta.version === 2 ? olderForm(props) : { ...props };
  const result = node as OpenApiObject;
  const { properties, items, additionalProperties } = props;
  if (result['properties'] !== undefined)
    result['properties'] = Object.fromEntries(
      Object.entries(properties!).map(([name, inner]) => [name, published(inner, meta)]),
    );
  if (result['items'] !== undefined) result['items'] = published(items as JSONSchemaProps, meta);
  if (typeof additionalProperties === 'object')
    result['additionalProperties'] = published(additionalProperties as JSONSchemaProps, meta);
  const isFilled = meta.version === 3 || props['x-kubernetes-preserve-unknown-fields'] !== true;
  if (props['x-kubernetes-embedded-resource'] === true && isFilled) {
    result['properties'] = withObjectFields(result['properties'] as OpenApiObject | undefined, meta);
    result['required'] = [...new Set([...(props.required ?? []), 'kind', 'apiVersion'])];
  }
  return result;
}

/** Without what OpenAPI 2 cannot say, and without what makes its clients refuse good objects. */
function olderForm(props: JSONSchemaProps): OpenApiObject {
  const { allOf: _, oneOf: __, anyOf: ___, not: ____, nullable, ...rest } = props;
  const result: OpenApiObject = { ...rest };
  const keepsUnknown = props['x-kubernetes-preserve-unknown-fields'] === true;
  if (nullable === true || keepsUnknown) {
    delete result['items'];
    delete result['properties'];
  }
  const isUntyped = nullable === true || (keepsUnknown && props.type === 'object');
  if (isUntyped || (props.type === 'array' && result['items'] === undefined)) delete result['type'];
  const required = (props.required ?? []).filter((name) => props.properties?.[name]?.nullable !== true);
  if (required.length === 0) delete result['required'];
  else result['required'] = required;
  return result;
}
