import { ApiError, conflict, fieldError, invalid } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { modified } from './modified.ts';
import type { Operation } from './operation.ts';

/** @returns whether the client named the version that it wants to replace. */
export function checkPreconditions(operation: Operation, object: ApiObject, old: ApiObject): boolean {
  const { resource, name } = operation;
  const { uid, resourceVersion = '' } = object.metadata;
  // A patch that says another one meets the validation of the change.
  if (operation.verb !== 'patch' && uid !== undefined && uid !== '' && uid !== old.metadata.uid)
    throw unmetPrecondition(operation, ['UID', uid], old.metadata.uid);
  if (resourceVersion === '' || resourceVersion === '0') {
    const isConditional = resource.rules.allowUnconditionalUpdate === false && operation.subresource !== 'scale';
    if ((operation.verb === 'update' || resourceVersion === '0') && isConditional) {
      // Upstream names the resource here, where it names the kind everywhere else.
      throw invalid({ group: resource.kind.group, kind: resource.kind.resource }, name, [
        fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    return false;
  }
  if (resourceVersion === old.metadata.resourceVersion) return true;
  checkNumber(resourceVersion);
  throw modified(operation);
}

/** Upstream's storage says this, with its key; the storage of dry runs does not know where the keys are kept. */
export function unmetPrecondition(
  { resource, name, namespace, options }: Operation,
  [what, wanted]: readonly ['UID' | 'ResourceVersion', string],
  found: string | undefined,
): ApiError {
  const key = `${resource.storage!.prefix}${objectKey({ namespace, name })}`;
  const shown = options.dryRun === true ? key.slice(registryRoot.length) : key;
  const why = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
  const where = `StorageError: invalid object, Code: 4, Key: ${shown}, ResourceVersion: 0`;
  return conflict(resource.kind, name, `${where}, AdditionalErrorMsg: ${why}`);
}

const registryRoot = '/registry';

const maximumResourceVersion = 2n ** 64n - 1n;

/** @throws ApiError 500: upstream tells of this what its parser told it. */
function checkNumber(resourceVersion: string): void {
  const isNumber = /^\d+$/.test(resourceVersion);
  if (isNumber && BigInt(resourceVersion) <= maximumResourceVersion) return;
  const why = isNumber ? 'value out of range' : 'invalid syntax';
  throw new ApiError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: ${why}`);
}
