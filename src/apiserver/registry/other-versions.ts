import type { Versions } from '#machinery/apply/index.ts';
import { type ApiObject, type JsonObject, parseApiVersion } from '#machinery/meta.ts';
import { conformUnstructured } from '#machinery/unstructured.ts';
import { converterBetween } from '../resources/conversion.ts';
import type { CustomForm } from '../resources/custom-form.ts';
import type { ResourceTable, ServedResource } from '../resources/resource.ts';
import { resetFieldsOf } from './reset-fields.ts';

/**
 * The versions of a resource in which somebody may own fields. Built-in kinds have those that this server knows; what
 * was written through any other is forgotten, as by the official server.
 */
export function otherVersions(resources: ResourceTable, resource: ServedResource, subresource: string): Versions {
  const { custom } = resource;
  return custom === undefined
    ? versionsOfBuiltIn(resources, resource, subresource)
    : versionsOfCustom(custom, subresource);
}

function versionsOfBuiltIn(resources: ResourceTable, resource: ServedResource, subresource: string): Versions {
  const named = (apiVersion: string): ServedResource | undefined => {
    const { group, version } = parseApiVersion(apiVersion);
    const other = resources.known(group, version, resource.kind.resource);
    return other?.storage === resource.storage ? other : undefined;
  };
  return {
    of(apiVersion) {
      const other = named(apiVersion);
      return other && { schema: other.schema, resetFields: resetFieldsOf(other, subresource) };
    },
    convert(object, apiVersion) {
      const from = named(String(object['apiVersion'])) ?? resource;
      const to = named(apiVersion)!;
      const decoded = decodedAs(from, object);
      return converterBetween(from.kind, to.kind)(decoded) as unknown as JsonObject;
    },
  };
}

/** @throws Error in upstream's words. */
function decodedAs({ kind, schema }: ServedResource, object: JsonObject): ApiObject {
  try {
    return conformUnstructured(object, schema).value as unknown as ApiObject;
  } catch (error) {
    const type = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
    throw new Error(`unable to convert unstructured object to ${type}: ${(error as Error).message}`);
  }
}

function versionsOfCustom(custom: CustomForm, subresource: string): Versions {
  return {
    of(apiVersion) {
      const version = custom.version(apiVersion);
      // An unknown version of a definition is refused where an object is to become one of it.
      if (version === undefined) return { schema: unknownVersion, resetFields: [] };
      const { schema, hasStatus, statusResets } = version;
      return { schema, resetFields: subresource === 'status' ? statusResets : hasStatus ? [['status']] : [] };
    },
    convert: (object, apiVersion) => custom.inVersion(object, apiVersion),
  };
}

const unknownVersion = {
  type: 'object',
  name: '',
  fields: new Map(),
  atomic: false,
  preserveUnknown: true,
} as const;
