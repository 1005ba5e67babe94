import { Namespace } from '#kinds/generated/handles.ts';
import type { Namespace as NamespaceObject } from '#kinds/generated/types/core_v1.ts';
import { ApiError, forbidden, notFound } from '#machinery/errors.ts';
import { type AdmissionPlugin, subjectName } from '../plugin.ts';

/** Namespaces that must always exist. */
const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Reviews may be asked about namespaces that do not exist. */
const exempt = new Set(['authorization.k8s.io/localsubjectaccessreviews']);

/** Nothing is created in a namespace that is absent or going away, and the system's own namespaces are never deleted. */
export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  operations: ['CREATE', 'DELETE'],
  mutate(attributes, registry) {
    const { operation, request } = attributes;
    const { resource, namespace, name } = request;
    const { kind } = resource;
    if (kind.group === '' && kind.resource === 'namespaces') {
      if (operation === 'DELETE' && immortal.has(name))
        throw forbidden(kind, name, 'this namespace may not be deleted');
      return;
    }
    if (operation !== 'CREATE' || namespace === '' || exempt.has(`${kind.group}/${kind.resource}`)) return;
    const namespaces = registry.resources.of(Namespace);
    const found = namespaces.storage!.cache.get(namespace)?.value.object as NamespaceObject | undefined;
    if (found === undefined) throw notFound(Namespace, namespace);
    if (found.status?.phase !== 'Terminating' && found.metadata.deletionTimestamp === undefined) return;
    const error = forbidden(
      kind,
      subjectName(attributes),
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    const causes = [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ];
    throw new ApiError(error.code, error.reason, error.message, { ...error.status.details, causes });
  },
};
