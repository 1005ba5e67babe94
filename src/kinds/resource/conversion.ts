import type * as current from '#kinds/generated/types/resource_v1.ts';
import type * as beta from '#kinds/generated/types/resource_v1beta1.ts';

/**
 * resource.k8s.io/v1beta1 keeps the fields of an exact request in the request itself, and those of a device in `basic`;
 * v1beta2 and v1 have places of their own for both.
 */

function requestFromBeta({ name, firstAvailable, ...exactly }: beta.DeviceRequest): current.DeviceRequest {
  if (firstAvailable !== undefined && firstAvailable.length > 0)
    return { name, firstAvailable: firstAvailable as current.DeviceRequest['firstAvailable'] & object };
  return { name, exactly: exactly as current.ExactDeviceRequest };
}

function requestToBeta({ name, exactly, firstAvailable }: current.DeviceRequest): beta.DeviceRequest {
  return {
    name,
    ...exactly,
    ...(firstAvailable === undefined ? {} : { firstAvailable }),
  } as beta.DeviceRequest;
}

type WithDevices<Request> = { readonly devices?: { readonly requests?: readonly Request[] } };

function convertSpec<From, To, Spec extends WithDevices<From>>(
  spec: Spec | undefined,
  convert: (request: From) => To,
): WithDevices<To> | undefined {
  if (spec?.devices?.requests === undefined) return spec as WithDevices<To> | undefined;
  return { ...spec, devices: { ...spec.devices, requests: spec.devices.requests.map(convert) } };
}

export function claimFromBeta(claim: beta.ResourceClaim): current.ResourceClaim {
  return {
    ...claim,
    apiVersion: 'resource.k8s.io/v1',
    spec: convertSpec(claim.spec, requestFromBeta),
  } as current.ResourceClaim;
}

export function claimToBeta(claim: current.ResourceClaim): beta.ResourceClaim {
  return {
    ...claim,
    apiVersion: 'resource.k8s.io/v1beta1',
    spec: convertSpec(claim.spec, requestToBeta),
  } as beta.ResourceClaim;
}

export function templateFromBeta(template: beta.ResourceClaimTemplate): current.ResourceClaimTemplate {
  const spec = { ...template.spec, spec: convertSpec(template.spec?.spec, requestFromBeta) };
  return { ...template, apiVersion: 'resource.k8s.io/v1', spec } as current.ResourceClaimTemplate;
}

export function templateToBeta(template: current.ResourceClaimTemplate): beta.ResourceClaimTemplate {
  const spec = { ...template.spec, spec: convertSpec(template.spec?.spec, requestToBeta) };
  return { ...template, apiVersion: 'resource.k8s.io/v1beta1', spec } as beta.ResourceClaimTemplate;
}

export function sliceFromBeta(slice: beta.ResourceSlice): current.ResourceSlice {
  const devices = slice.spec?.devices?.map(({ name, basic }) => ({ name, ...basic }));
  const spec = { ...slice.spec, ...(devices === undefined ? {} : { devices }) };
  return { ...slice, apiVersion: 'resource.k8s.io/v1', spec } as current.ResourceSlice;
}

export function sliceToBeta(slice: current.ResourceSlice): beta.ResourceSlice {
  const devices = slice.spec?.devices?.map(({ name, ...basic }) => ({ name, basic }));
  const spec = { ...slice.spec, ...(devices === undefined ? {} : { devices }) };
  return { ...slice, apiVersion: 'resource.k8s.io/v1beta1', spec } as unknown as beta.ResourceSlice;
}
