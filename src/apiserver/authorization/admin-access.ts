import { Namespace } from '#kinds/generated/handles.ts';
import type {
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceClaimTemplate,
} from '#kinds/generated/types/resource_v1.ts';
import { fieldError, invalid } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { lookUp } from '../admission/plugin.ts';
import type { Operation } from '../registry/operation.ts';
import type { Registry, ResourceHook } from '../registry/registry.ts';

const label = 'resource.kubernetes.io/admin-access';

/** Devices that others use are for administrators: who asks for them does so in a namespace that allows it (KEP-5018). */
export const adminAccessClaimHook: ResourceHook = {
  admit(registry, operation, object, old) {
    const claim = object as unknown as ResourceClaim;
    if (operation.subresource === 'status') {
      const before = grantedIndex(old as ResourceClaim | undefined);
      const granted = before < 0 ? grantedIndex(claim) : -1;
      if (granted >= 0)
        check(registry, { operation, object, path: `status.allocation.devices.results[${granted}].adminAccess` });
    } else if (old === undefined) checkRequests(registry, operation, object, claim.spec?.devices?.requests);
  },
};

/** The same for what claims are made from. */
export const adminAccessTemplateHook: ResourceHook = {
  admit(registry, operation, object, old) {
    const template = object as unknown as ResourceClaimTemplate;
    if (old === undefined) checkRequests(registry, operation, object, template.spec?.spec?.devices?.requests);
  },
};

function grantedIndex(claim: ResourceClaim | undefined): number {
  const results = claim?.status?.allocation?.devices?.results ?? [];
  return results.findIndex(({ adminAccess }) => adminAccess === true);
}

function checkRequests(
  registry: Registry,
  operation: Operation,
  object: ApiObject,
  requests: readonly DeviceRequest[] = [],
): void {
  // v1beta1 has in the request itself what later versions have in `exactly`.
  const index = requests.findIndex(
    (request) => (request.exactly ?? (request as Partial<ExactDeviceRequest>)).adminAccess === true,
  );
  if (index >= 0) check(registry, { operation, object, path: `spec.devices.requests[${index}].adminAccess` });
}

/** @throws ApiError 422 unless the namespace allows administrators' access. */
function check(
  registry: Registry,
  asked: { readonly operation: Operation; readonly object: ApiObject; readonly path: string },
): void {
  const { operation, object, path } = asked;
  const namespace = lookUp(registry, Namespace, { name: operation.namespace });
  if (namespace?.metadata.labels?.[label] === 'true') return;
  const why = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
  throw invalid(operation.resource.kind, object.metadata.name ?? '', [fieldError.forbidden(path, why)]);
}
