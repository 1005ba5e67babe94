import { type ApiError, fieldError, forbidden, invalid, notFound } from '#machinery/errors.ts';
import { refusalReason, resourceAttributes } from '../authorization/authorizer.ts';
import type { Operation, Result } from './operation.ts';
import type { Registry } from './registry.ts';

const option = 'ignoreStoreReadErrorWithClusterBreakingPotential';
const gate = 'AllowUnsafeMalformedObjectDeletion';
const verb = 'unsafe-delete-ignore-read-errors';

/**
 * Takes an object out of the store that nobody can read: no finalizers, no grace, no admission, because there is
 * nothing to look at. Needs a right of its own (KEP-3926).
 */
export async function deleteUnreadable(registry: Registry, operation: Operation, key: string): Promise<Result> {
  const { resource, name, namespace, user } = operation;
  const refused = (error: ReturnType<typeof fieldError.invalid>): ApiError =>
    invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [error]);
  if (!registry.featureEnabled(gate))
    throw refused(fieldError.invalid(option, true, `feature gate ${gate} is disabled`));
  const { group, version, resource: plural } = resource.kind;
  const attributes = resourceAttributes({ user, verb, group, version, resource: plural, namespace, name });
  const decision = await registry.authorizer.authorize(attributes);
  if (decision.outcome !== 'allow') throw forbidden(resource.kind, name, refusalReason(attributes, decision.reason));
  const storage = resource.storage!;
  const entry = storage.cache.get(key);
  if (entry === undefined) throw notFound(resource.kind, name);
  if (entry.value.isReadable) {
    const detail = 'is exclusively used to delete corrupt object(s), try again by removing this option';
    throw refused(fieldError.invalid(option, true, detail));
  }
  await registry.store.commit({ key: storage.prefix + key, expectedRevision: entry.revision, value: undefined });
  const details = { name, ...(group === '' ? {} : { group }), kind: plural };
  return {
    type: 'status',
    status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 },
  };
}
