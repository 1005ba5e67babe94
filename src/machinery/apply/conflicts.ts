import { ApiError, type StatusCause } from '../errors.ts';
import { type FieldTree, pathsOf } from './field-tree.ts';
import type { Manager } from './managers.ts';

/** Fields that another manager owns and that an apply would change. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldTree;
}

/**
 * The 409 that names every field and its manager.
 * @param seenAs the version in which managers are told to have written, where it is not their own
 */
export function conflictError(conflicts: readonly Conflict[], seenAs?: string): ApiError {
  const found = conflicts
    .map(({ manager, fields }) => ({ name: managerText(manager, seenAs), paths: pathsOf(fields), id: idOf(manager) }))
    .sort((left, right) => (left.id < right.id ? -1 : 1));
  const causes: StatusCause[] = found.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })),
  );
  return new ApiError(409, 'Conflict', messageOf(found, causes.length), { causes });
}

function messageOf(
  found: readonly { readonly name: string; readonly paths: readonly string[] }[],
  count: number,
): string {
  const first = found[0]!;
  if (count === 1) return `Apply failed with 1 conflict: conflict with ${first.name}: ${first.paths[0]}`;
  const lines = found.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function managerText({ manager, subresource, operation, apiVersion }: Manager, seenAs = apiVersion): string {
  const name = JSON.stringify(manager);
  const where = subresource === '' ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${where} using ${seenAs}` : where;
}

/** By which the official server sorts managers. */
function idOf({ manager, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify({
    manager,
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    fieldsType: 'FieldsV1',
    ...(subresource === '' ? {} : { subresource }),
  });
}
