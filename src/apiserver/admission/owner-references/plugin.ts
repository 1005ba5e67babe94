import { equalValues } from '#machinery/equality.ts';
import { type ApiObject, type OwnerReference, parseApiVersion } from '#machinery/meta.ts';
import type { Decision } from '../../authorization/authorizer.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from '../plugin.ts';

/**
 * Who gives an object an owner may have it deleted with that owner, and who blocks the owner's deletion touches its
 * finalizers: both take the right to do so.
 */
export const ownerReferencesPermissionEnforcement: AdmissionPlugin = {
  name: 'OwnerReferencesPermissionEnforcement',
  operations: ['CREATE', 'UPDATE'],
  validate(attributes, registry) {
    const { object, oldObject, request } = attributes;
    if (request.subresource === 'status') return undefined;
    const references = object?.metadata?.ownerReferences ?? [];
    if (equalValues(references, oldObject?.metadata?.ownerReferences ?? [])) return undefined;
    return enforce(attributes, registry, references);
  },
};

async function enforce(
  attributes: AdmissionAttributes,
  registry: Registry,
  references: readonly OwnerReference[],
): Promise<void> {
  const { request, oldObject } = attributes;
  const mayDelete = await decide(attributes, registry, {
    verb: 'delete',
    resource: request.resource,
    subresource: '',
    name: request.name,
  });
  if (mayDelete.outcome !== 'allow')
    throw refusal(attributes, `cannot set an ownerRef on a resource you can't delete: ${explained(mayDelete)}`);
  for (const reference of newlyBlocking(references, oldObject)) {
    const owner = registry.resources.forKind({ ...parseApiVersion(reference.apiVersion), kind: reference.kind });
    if (owner === undefined) {
      throw refusal(
        attributes,
        `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${reference.apiVersion} Kind ${reference.kind}: no matches for kind ${JSON.stringify(reference.kind)} in version ${JSON.stringify(reference.apiVersion)}`,
      );
    }
    const mayBlock = await decide(attributes, registry, {
      verb: 'update',
      resource: owner,
      subresource: 'finalizers',
      name: reference.name,
    });
    if (mayBlock.outcome !== 'allow') {
      throw refusal(
        attributes,
        `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${explained(mayBlock)}`,
      );
    }
  }
}

/** References that block their owner's deletion and did not before. */
function newlyBlocking(references: readonly OwnerReference[], old: ApiObject | undefined): readonly OwnerReference[] {
  const before = old?.metadata?.ownerReferences ?? [];
  return references.filter(
    ({ uid, blockOwnerDeletion }) =>
      blockOwnerDeletion === true &&
      !before.some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
  );
}

async function decide(
  { request }: AdmissionAttributes,
  { authorizer }: Registry,
  asked: {
    readonly verb: string;
    readonly resource: ServedResource;
    readonly subresource: string;
    readonly name: string;
  },
): Promise<Decision> {
  const { verb, resource, subresource, name } = asked;
  const { group, version, resource: plural, namespaced } = resource.kind;
  const namespace = namespaced ? request.namespace : '';
  return authorizer.authorize({
    user: request.user,
    verb,
    group,
    version,
    resource: plural,
    subresource,
    namespace,
    name,
    path: '',
  });
}

function explained({ reason, error }: Decision): string {
  return `${reason}, ${error ?? '<nil>'}`;
}
