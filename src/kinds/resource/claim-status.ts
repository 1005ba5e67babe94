import { validateNodeSelector } from '#kinds/core/pod/validation/scheduling.ts';
import type * as resource from '#kinds/generated/types/resource_v1.ts';
import { immutable, invalidAll, requiredOneOf } from '#kinds/validation/common.ts';
import { validateConditions } from '#kinds/validation/conditions.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { interfaceAddressProblems } from '#machinery/ip.ts';
import type { Mutable } from '#machinery/meta.ts';
import { byteLength } from '#machinery/names.ts';
import { validateBinding } from './device.ts';
import { validatePoolName } from './names.ts';
import {
  requestNames,
  validateConfiguration,
  validateObjectText,
  validateReference,
  validateReferences,
} from './requests.ts';
import { validateName, validateSet } from './sets.ts';

/** What the scheduler and drivers write of a claim: what it was given, who uses it, and how its devices are. */

const maxReservations = 256;
const maxResults = 32;
/** Of the class and of the claim. */
const maxConfigurations = 64;
const maxConditions = 8;
const maxInterfaceNameBytes = 256;
const maxHardwareAddressBytes = 128;
const maxAddresses = 16;

export function validateClaimStatusUpdate(claim: resource.ResourceClaim, old: resource.ResourceClaim): FieldError[] {
  const { reservedFor = [], allocation } = claim.status ?? {};
  const path = 'status.reservedFor';
  const errors = [...validateReservations(reservedFor, path), ...validateDeviceStatuses(claim.status)];
  if (reservedFor.length > 0 && allocation === undefined)
    errors.push(fieldError.forbidden(path, 'may not be specified when `allocated` is not set'));
  const before = new Set(old.status?.reservedFor?.map(({ uid }) => uid));
  const isDeleted = claim.metadata.deletionTimestamp !== undefined;
  if (allocation !== undefined && isDeleted && reservedFor.some(({ uid }) => !before.has(uid))) {
    const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    errors.push(fieldError.forbidden(path, detail));
  }
  if (allocation === undefined) return errors;
  const at = 'status.allocation';
  if (old.status?.allocation === undefined)
    return [...errors, ...validateAllocation(allocation, at, requestNames(claim.spec?.devices?.requests))];
  return [...errors, ...immutable(allocation, old.status.allocation, at, 'resource.AllocationResult')];
}

function validateReservations(
  reservations: readonly resource.ResourceClaimConsumerReference[],
  path: string,
): FieldError[] {
  return validateSet(reservations, path, { max: maxReservations, key: ({ uid = '' }) => uid }, (consumer, at) =>
    (['resource', 'name', 'uid'] as const)
      .filter((field) => (consumer[field] ?? '') === '')
      .map((field) => fieldError.required(`${at}.${field}`)),
  );
}

/** What tells one device, or share of a device, from others. */
function identity({
  driver = '',
  pool = '',
  device = '',
  shareID = '',
}: Partial<resource.AllocatedDeviceStatus>): string {
  return [driver, pool, device, ...(shareID === '' ? [] : [shareID])].join('/');
}

function shown({ driver = '', pool = '', device = '', shareID = '' }: Partial<resource.AllocatedDeviceStatus>): object {
  return { Driver: driver, Pool: pool, Device: device, ShareID: shareID };
}

/** Nothing is told of devices that the claim no longer has. */
export function dropReturned(
  status: Mutable<resource.ResourceClaimStatus> | undefined,
  old: resource.ResourceClaimStatus | undefined,
): void {
  if (status?.devices === undefined) return;
  const kept = new Set(status.allocation?.devices?.results?.map(identity));
  const had = (old?.allocation?.devices?.results ?? []).map(identity);
  const returned = new Set(had.filter((device) => !kept.has(device)));
  status.devices = status.devices.filter((device) => !returned.has(identity(device)));
  if (status.devices.length === 0) delete status.devices;
}

/** What drivers say of devices that the claim has got. */
function validateDeviceStatuses({ devices, allocation }: resource.ResourceClaimStatus = {}): FieldError[] {
  const allocated = new Set(allocation?.devices?.results?.map(identity));
  return validateSet(
    devices,
    'status.devices',
    { max: Number.POSITIVE_INFINITY, key: identity, shown },
    (one, path) => [
      ...validateDriverName(one.driver, `${path}.driver`),
      ...validatePoolName(one.pool ?? '', `${path}.pool`),
      ...validateName(one.device, `${path}.device`),
      ...validateShare(one, path),
      ...(allocated.has(identity(one))
        ? []
        : [fieldError.invalid(path, shown(one), 'must be an allocated device in the claim')]),
      ...((one.conditions?.length ?? 0) > maxConditions
        ? [fieldError.tooMany(`${path}.conditions`, one.conditions!.length, maxConditions)]
        : []),
      ...validateConditions(one.conditions, `${path}.conditions`),
      ...(one.data === undefined ? [] : validateObjectText(one.data, `${path}.data`)),
      ...validateNetwork(one.networkData, `${path}.networkData`),
    ],
  );
}

function validateShare({ shareID }: { readonly shareID?: string }, path: string): FieldError[] {
  return shareID === undefined ? [] : invalidAll(`${path}.shareID`, shareID, uuidProblems(shareID));
}

function uuidProblems(text: string): string[] {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return [];
  if (![32, 36, 38, 45].includes(byteLength(text)))
    return [`error validating uid: invalid UUID length: ${byteLength(text)}`];
  const isOther = /^(urn:uuid:)?\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?$/i.test(text);
  return isOther
    ? [
        'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
      ]
    : ['error validating uid: invalid UUID format'];
}

function validateNetwork(data: resource.NetworkDeviceData | undefined, path: string): FieldError[] {
  const { interfaceName = '', hardwareAddress = '', ips } = data ?? {};
  const tooLong = (text: string, field: string, max: number): FieldError[] =>
    byteLength(text) > max ? [fieldError.tooLong(`${path}.${field}`, max)] : [];
  return [
    ...tooLong(interfaceName, 'interfaceName', maxInterfaceNameBytes),
    ...tooLong(hardwareAddress, 'hardwareAddress', maxHardwareAddressBytes),
    ...validateSet(ips, `${path}.ips`, { max: maxAddresses, key: (address) => address }, (address, at) =>
      invalidAll(at, address, interfaceAddressProblems(address)),
    ),
  ];
}

/** What a claim is given, when it had nothing before. */
function validateAllocation(
  { devices, nodeSelector }: resource.AllocationResult,
  path: string,
  names: ReadonlySet<string>,
): FieldError[] {
  const { results, config } = devices ?? {};
  const [resultsAt, configAt] = [`${path}.devices.results`, `${path}.devices.config`];
  return [
    ...validateSet(results, resultsAt, { max: maxResults }, (result, at) => [
      ...validateReference(result.request ?? '', `${at}.request`, names),
      ...validateDriverName(result.driver, `${at}.driver`),
      ...validatePoolName(result.pool ?? '', `${at}.pool`),
      ...validateName(result.device, `${at}.device`),
      ...validateBinding(result, at),
      ...validateShare(result, at),
    ]),
    ...validateSet(config, configAt, { max: maxConfigurations }, (one, at) => [
      ...requiredOneOf(one.source, ['FromClaim', 'FromClass'], `${at}.source`),
      ...validateReferences(one.requests, `${at}.requests`, names),
      ...validateConfiguration(one, at),
    ]),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(nodeSelector, `${path}.nodeSelector`)),
  ];
}
