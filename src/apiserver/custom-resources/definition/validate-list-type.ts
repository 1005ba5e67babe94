import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { isSchema } from '../structural/node.ts';
import { shownItems } from './shown-schema.ts';

const listTypes = ['atomic', 'set', 'map'];

/** What is wrong with how a list's items are told apart. */
export function validateListType(props: JSONSchemaProps, path: string): FieldError[] {
  const listType = props['x-kubernetes-list-type'];
  const keys = props['x-kubernetes-list-map-keys'] ?? [];
  const at = `${path}.x-kubernetes-list-type`;
  const errors: FieldError[] = [];
  if (listType !== undefined && props.type !== 'array') {
    const detail = 'must be array if x-kubernetes-list-type is specified';
    const { type = '' } = props;
    errors.push(
      type === '' ? fieldError.required(`${path}.type`, detail) : fieldError.invalid(`${path}.type`, type, detail),
    );
  } else if (listType === 'set') errors.push(...validateSetItems(props, path));
  if (listType !== undefined && !listTypes.includes(listType))
    errors.push(fieldError.notSupportedInOrder(at, listType, listTypes));
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? fieldError.required(at, detail) : fieldError.invalid(at, listType, detail));
  }
  if (listType === 'map') errors.push(...validateMapItems(props, keys, path));
  if (!isSchema(props.items) || (listType !== 'set' && listType !== 'map')) return errors;
  if (props.items.nullable === true)
    errors.push(
      fieldError.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    );
  return listType === 'map' ? [...errors, ...validateMapKeys(props.items, keys, `${path}.items`)] : errors;
}

/** Items of a set are compared as wholes. */
function validateSetItems({ items }: JSONSchemaProps, path: string): FieldError[] {
  if (!isSchema(items)) return [];
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  const mapType = items['x-kubernetes-map-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic')
    return [fieldError.invalid(`${path}.items.x-kubernetes-list-type`, listType, detail)];
  // Upstream shows the other of the two here.
  if (items.type === 'object' && mapType !== 'atomic')
    return [fieldError.invalid(`${path}.items.x-kubernetes-map-type`, listType, detail)];
  return [];
}

function validateMapItems(props: JSONSchemaProps, keys: readonly string[], path: string): FieldError[] {
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  const items: unknown = props.items ?? emptiedFields(props)['items'];
  const errors: FieldError[] = [];
  if (keys.length === 0)
    errors.push(fieldError.required(keysPath, 'must not be empty if x-kubernetes-list-type is map'));
  if (items === undefined)
    errors.push(fieldError.required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  else if (!isSchema(items))
    errors.push(
      fieldError.invalid(
        `${path}.items`,
        shownItems(items),
        'must only have a single schema if x-kubernetes-list-type is map',
      ),
    );
  else if (items.type !== 'object')
    errors.push(
      fieldError.invalid(
        `${path}.items.type`,
        items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    );
  else errors.push(...validateKeyProperties(items, keys, path));
  return errors;
}

function validateKeyProperties(items: JSONSchemaProps, keys: readonly string[], path: string): FieldError[] {
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  return keys.flatMap((key, index) => {
    const errors: FieldError[] = [];
    const inner = items.properties?.[key];
    if (inner === undefined)
      errors.push(fieldError.invalid(keysPath, keys, 'entries must all be names of item properties'));
    else if (inner.type === 'array' || inner.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(fieldError.invalid(`${path}.items.properties[${key}].type`, items.type, detail));
    }
    if (keys.indexOf(key) < index)
      errors.push(fieldError.invalid(keysPath, keys, 'must not contain duplicate entries'));
    return errors;
  });
}

/** Every item has its keys. */
function validateMapKeys(items: JSONSchemaProps, keys: readonly string[], path: string): FieldError[] {
  return keys.flatMap((key) => {
    const inner = items.properties?.[key];
    if (inner === undefined) return [];
    const at = `${path}.properties[${key}]`;
    const errors: FieldError[] = [];
    if (inner.default === undefined && !(items.required ?? []).includes(key))
      errors.push(
        fieldError.required(
          `${at}.default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      );
    if (inner.nullable === true)
      errors.push(
        fieldError.forbidden(
          `${at}.nullable`,
          'this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
        ),
      );
    return errors;
  });
}
