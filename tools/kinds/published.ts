/** The published interface, as it lies in the folder that the command names, and what is known of it besides. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Property = {
  type?: string;
  format?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-map-type'?: string;
};
export type Definition = Property & {
  properties?: Record<string, Property>;
  required?: string[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
};
export type ProtobufField = [number: number, type: string, label: string];
export type DiscoveryResource = {
  resource: string;
  singularResource?: string;
  scope?: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  responseKind: { group: string; version: string; kind: string };
  subresources?: {
    subresource: string;
    verbs: string[];
    responseKind: { group: string; version: string; kind: string };
    acceptedTypes?: object[];
  }[];
};
export type DiscoveryGroup = {
  metadata: { name?: string };
  versions: { version: string; resources: DiscoveryResource[]; freshness?: string }[];
};

const source = process.argv[2] ?? fail('usage: node tools/generate-kinds.ts FOLDER');
export const read = <T>(file: string): T => JSON.parse(readFileSync(join(source, file), 'utf8')) as T;
export const definitions = read<{ definitions: Record<string, Definition> }>('swagger.json').definitions;
export const protobuf = {
  ...read<Record<string, Record<string, ProtobufField>>>('protobuf-fields.json'),
  ...registrationFields(),
};
export const presence = JSON.parse(readFileSync(join(import.meta.dirname, '../field-presence.json'), 'utf8')) as Record<
  string,
  Record<string, '' | 'z' | 'w'>
>;
export const goFields = JSON.parse(readFileSync(join(import.meta.dirname, '../go-fields.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>;

/** The group of APIServices is published apart from the others; its wire numbers are few. */
function registrationFields(): Record<string, Record<string, ProtobufField>> {
  const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
  const own = 'k8s.io.kube_aggregator.pkg.apis.apiregistration.v1.';
  const one = (number: number, type: string): ProtobufField => [number, type, 'optional'];
  const many = (number: number, type: string): ProtobufField => [number, type, 'repeated'];
  return {
    [`${own}APIService`]: {
      metadata: one(1, `${meta}ObjectMeta`),
      spec: one(2, `${own}APIServiceSpec`),
      status: one(3, `${own}APIServiceStatus`),
    },
    [`${own}APIServiceList`]: { metadata: one(1, `${meta}ListMeta`), items: many(2, `${own}APIService`) },
    [`${own}APIServiceSpec`]: {
      service: one(1, `${own}ServiceReference`),
      group: one(2, 'string'),
      version: one(3, 'string'),
      insecureSkipTLSVerify: one(4, 'bool'),
      caBundle: one(5, 'bytes'),
      groupPriorityMinimum: one(7, 'int32'),
      versionPriority: one(8, 'int32'),
    },
    [`${own}APIServiceStatus`]: { conditions: many(1, `${own}APIServiceCondition`) },
    [`${own}APIServiceCondition`]: {
      type: one(1, 'string'),
      status: one(2, 'string'),
      lastTransitionTime: one(3, `${meta}Time`),
      reason: one(4, 'string'),
      message: one(5, 'string'),
    },
    [`${own}ServiceReference`]: { namespace: one(1, 'string'), name: one(2, 'string'), port: one(3, 'int32') },
  };
}

export function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** `io.k8s.api.core.v1.Pod` and `k8s.io.api.core.v1.Pod` are both `core.v1.Pod` here. */
export const shorten = (name: string): string =>
  name
    .replace(/^(io\.k8s|k8s\.io)\./, '')
    .replace(/^api\./, '')
    .replace(/^apimachinery\.pkg\.(apis|api|util)\./, '')
    .replace(/^apimachinery\.pkg\./, '')
    .replace(/^(apiextensions[-_]apiserver\.pkg\.apis|kube[-_]aggregator\.pkg\.apis)\./, '');

export const scalars: Record<string, string> = {
  'meta.v1.Time': 'time',
  'meta.v1.MicroTime': 'microTime',
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'runtime.RawExtension': 'any:runtime.RawExtension',
  'meta.v1.FieldsV1': 'any:meta.v1.FieldsV1',
  'meta.v1.Patch': 'any:',
  'apiextensions.v1.JSON': 'any:apiextensions.v1.JSON',
  'apiextensions.v1.JSONSchemaPropsOrArray': 'any:apiextensions.v1.JSONSchemaPropsOrArray',
  'apiextensions.v1.JSONSchemaPropsOrBool': 'any:apiextensions.v1.JSONSchemaPropsOrBool',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'any:apiextensions.v1.JSONSchemaPropsOrStringArray',
};

/** Scalars of versions that are no longer served. */
export const olderScalars: Record<string, string> = Object.fromEntries(
  ['JSON', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray'].map((name) => [
    `apiextensions.v1beta1.${name}`,
    `any:apiextensions.v1beta1.${name}`,
  ]),
);

/** A type in one string: `string`, `[]core.v1.Container`, `{}quantity`, `core.v1.PodSpec`. */
export function typeOf(property: Property): string {
  if (property.$ref !== undefined) {
    const name = shorten(property.$ref.replace('#/definitions/', ''));
    return scalars[name] ?? name;
  }
  switch (property.type) {
    case 'array':
      return `[]${typeOf(property.items!)}`;
    case 'object':
      return property.additionalProperties === undefined ? 'any:' : `{}${typeOf(property.additionalProperties)}`;
    case 'integer':
      return property.format === 'int64' ? 'int64' : 'int32';
    case 'number':
      return 'double';
    case 'boolean':
      return 'boolean';
    case 'string':
      return property.format === 'byte' ? 'bytes' : 'string';
    default:
      return 'any:';
  }
}
