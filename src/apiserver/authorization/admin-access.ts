import { Namespace } from '#kinds/generated/handles.ts';
import type {
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceClaimTemplate,
} from '#kinds/generated/types/resource_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { lookUp } from '../admission/plugin.ts';
import type { Operation } from '../registry/operation.ts';
import type { Registry, ResourceHook } from '../registry/registry.ts';

const label = 'resource.kubernetes.io/admin-access';

/** Devices that others use are for administrators: who asks for them does so in a namespace that allows it (KEP-5018). */
export const adminAccessClaimHook: ResourceHook = {
  problems(registry, operation, object, old) {
    const claim = object as unknown as ResourceClaim;
    if (operation.subresource === 'status') {
      const before = grantedIndex(old as ResourceClaim | undefined);
      const granted = before < 0 ? grantedIndex(claim) : -1;
      if (granted < 0) return [];
      return check(registry, operation, `status.allocation.devices.results[${granted}].adminAccess`);
    }
    return old === undefined ? checkRequests(registry, operation, claim.spec?.devices?.requests) : [];
  },
};

/** The same for what claims are made from. */
export const adminAccessTemplateHook: ResourceHook = {
  problems(registry, operation, object, old) {
    const template = object as unknown as ResourceClaimTemplate;
    return old === undefined ? checkRequests(registry, operation, template.spec?.spec?.devices?.requests) : [];
  },
};

function grantedIndex(claim: ResourceClaim | undefined): number {
  const results = claim?.status?.allocation?.devices?.results ?? [];
  return results.findIndex(({ adminAccess }) => adminAccess === true);
}

function checkRequests(
  registry: Registry,
  operation: Operation,
  requests: readonly DeviceRequest[] = [],
): FieldError[] {
  // v1beta1 has in the request itself what later versions have in `exactly`.
  const index = requests.findIndex(
    (request) => (request.exactly ?? (request as Partial<ExactDeviceRequest>)).adminAccess === true,
  );
  return index < 0 ? [] : check(registry, operation, `spec.devices.requests[${index}].adminAccess`);
}

/** Nothing, if the namespace allows administrators' access. */
function check(registry: Registry, operation: Operation, path: string): FieldError[] {
  const namespace = lookUp(registry, Namespace, { name: operation.namespace });
  if (namespace?.metadata.labels?.[label] === 'true') return [];
  const why = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
  return [fieldError.forbidden(path, why)];
}
