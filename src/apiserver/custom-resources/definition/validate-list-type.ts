import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { isSchema } from '../structural/node.ts';

const listTypes = ['atomic', 'set', 'map'];

/** What is wrong with how a list's items are told apart. */
export function validateListType(props: JSONSchemaProps, path: string): FieldError[] {
  const listType = props['x-kubernetes-list-type'];
  const keys = props['x-kubernetes-list-map-keys'] ?? [];
  const errors: FieldError[] = [];
  if (listType !== undefined) {
    const detail = 'must be array if x-kubernetes-list-type is specified';
    if ((props.type ?? '') === '') errors.push(fieldError.required(`${path}.type`, detail));
    else if (props.type !== 'array') errors.push(fieldError.invalid(`${path}.type`, props.type, detail));
    if (!listTypes.includes(listType))
      errors.push(fieldError.notSupported(`${path}.x-kubernetes-list-type`, listType, listTypes));
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = `${path}.x-kubernetes-list-type`;
    errors.push(listType === undefined ? fieldError.required(at, detail) : fieldError.invalid(at, listType, detail));
  }
  if (listType === 'set') errors.push(...validateSetItems(props, path));
  if (listType === 'map') errors.push(...validateMapKeys(props, keys, path));
  const isNullable = isSchema(props.items) && props.items.nullable === true;
  if (isNullable && (listType === 'set' || listType === 'map'))
    errors.push(
      fieldError.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    );
  return errors;
}

/** Items of a set are compared as wholes. */
function validateSetItems({ items }: JSONSchemaProps, path: string): FieldError[] {
  if (!isSchema(items)) return [];
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  const mapType = items['x-kubernetes-map-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic')
    return [fieldError.invalid(`${path}.items.x-kubernetes-list-type`, listType, detail)];
  if (items.type === 'object' && mapType !== 'atomic')
    return [fieldError.invalid(`${path}.items.x-kubernetes-map-type`, mapType, detail)];
  return [];
}

function validateMapKeys({ items }: JSONSchemaProps, keys: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0)
    errors.push(fieldError.required(keysPath, 'must not be empty if x-kubernetes-list-type is map'));
  if (!isSchema(items))
    return [...errors, fieldError.required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  if (items.type !== 'object')
    errors.push(
      fieldError.invalid(
        `${path}.items.type`,
        items.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    );
  keys.forEach((key, index) => {
    const inner = items.properties?.[key];
    const at = `${path}.items.properties[${key}]`;
    if (inner === undefined)
      errors.push(fieldError.invalid(keysPath, keys, 'entries must all be names of item properties'));
    else {
      if (inner.type === 'array' || inner.type === 'object')
        errors.push(
          fieldError.invalid(
            `${at}.type`,
            items.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        );
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
    }
    if (keys.indexOf(key) < index)
      errors.push(fieldError.invalid(keysPath, keys, 'must not contain duplicate entries'));
  });
  return errors;
}
