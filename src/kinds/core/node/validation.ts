import type { Node, NodeAddress, NodeStatus } from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, negativeMessage } from '#kinds/validation/common.ts';
import { isCountedInPieces } from '#kinds/validation/resource-names.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { addressFamily, cidrProblems, isNetwork } from '#machinery/ip.ts';
import { maximumNameBytes } from '#machinery/names.ts';
import { milliValue, quantity } from '#machinery/quantity.ts';
import { validateTaints } from './taints.ts';

export function validateNode({ spec, status = {} }: Node): FieldError[] {
  return [
    ...validateTaints(spec.taints, 'metadata.taints'),
    ...validateResources(status),
    ...validateSwap(status.nodeInfo?.swap?.capacity),
    ...validateFeatures(status.declaredFeatures),
    ...validateRanges(spec.podCIDRs ?? []),
  ];
}

/** Asked of changes of the node and of its status alike. */
export function validateNodeUpdate({ spec, status = {} }: Node, { spec: old }: Node): FieldError[] {
  return [
    ...validateResources(status),
    ...validateFeatures(status.declaredFeatures),
    ...validateAddresses(status.addresses ?? []),
    ...validateKeptRanges(spec.podCIDRs ?? [], old.podCIDRs ?? []),
    ...validateKeptProvider(spec.providerID ?? '', old.providerID ?? ''),
    ...validateTaints(spec.taints, 'metadata.taints'),
    ...((spec.externalID ?? '') === (old.externalID ?? '')
      ? []
      : [fieldError.forbidden('spec.externalID', 'may not be updated')]),
  ];
}

function validateResources(status: NodeStatus): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((field) =>
    Object.entries(status[field] ?? {}).flatMap(([name, text]) => {
      // A path of Go's shows a member of no name like an index.
      const path = name === '' ? `status.${field}[]` : `status.${field}.${name}`;
      const amount = quantity(text);
      const isWhole = !isCountedInPieces(name) || milliValue(amount) % 1000 === 0;
      return [
        ...(amount.nanos < 0n ? [fieldError.invalid(path, text, negativeMessage)] : []),
        ...(isWhole ? [] : [fieldError.invalid(path, text, 'must be an integer')]),
      ];
    }),
  );
}

/** Upstream looks for it in the metadata. */
function validateSwap(capacity: number | undefined): FieldError[] {
  if (capacity === undefined || capacity > 0) return [];
  return [fieldError.invalid('metadata.nodeSwapStatus.capacity', capacity, 'must be greater than zero')];
}

/** KEP-5328: what a kubelet can do, in the order of the alphabet. */
function validateFeatures(features: readonly string[] = []): FieldError[] {
  const path = 'status.declaredFeatures';
  return each(features, path, (feature, at, index) => {
    const problem = featureProblem(feature);
    const errors = problem === undefined ? [] : [fieldError.invalid(at, feature, problem)];
    const next = features[index + 1];
    if (next === feature) errors.push(fieldError.duplicate(`${path}[${index + 1}]`, next));
    else if (next !== undefined && next < feature)
      errors.push(fieldError.invalid(`${path}[${index + 1}]`, next, 'list must be sorted alphabetically'));
    return errors;
  });
}

function featureProblem(name: string): string | undefined {
  const what = `invalid feature name ${JSON.stringify(name)}`;
  if (name.length > maximumNameBytes) return `${what}: must be no more than ${maximumNameBytes} characters`;
  if (/^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/.test(name)) return undefined;
  return `${what}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`;
}

function validateAddresses(addresses: readonly NodeAddress[]): FieldError[] {
  const seen = new Set<string>();
  return each(addresses, 'status.addresses', ({ type, address }, at) => {
    const key = JSON.stringify([type, address]);
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated ? [fieldError.duplicate(at, { Type: type, Address: address })] : [];
  });
}

function validateRanges(ranges: readonly string[]): FieldError[] {
  const path = 'spec.podCIDRs';
  const errors = each(ranges, path, (cidr, at) => invalidAll(at, cidr, cidrProblems(cidr)));
  if (ranges.length < 2) return errors;
  const broken = ranges.findIndex((range) => !isNetwork(range));
  if (broken >= 0) {
    const why = `invalid CIDR[${broken}]: <nil> (invalid CIDR address: ${ranges[broken]})`;
    errors.push(fieldError.internal(path, `invalid PodCIDRs. failed to check with dual stack with error:${why}`));
  }
  const families = new Set(ranges.map((range) => addressFamily(range.slice(0, range.indexOf('/')))));
  if (broken < 0 && ranges.length === 2 && families.size === 2) return errors;
  return [...errors, fieldError.invalid(path, ranges, 'may specify no more than one CIDR for each IP family')];
}

function validateKeptRanges(ranges: readonly string[], old: readonly string[]): FieldError[] {
  if (old.length === 0) return [];
  const changed = ranges.length === old.length ? old.filter((range, index) => range !== ranges[index]).length : 1;
  const detail = 'node updates may not change podCIDR except from "" to valid';
  return Array.from({ length: changed }, () => fieldError.forbidden('spec.podCIDRs', detail));
}

function validateKeptProvider(provider: string, old: string): FieldError[] {
  if (old === '' || provider === old) return [];
  const detail = 'node updates may not change providerID except from "" to valid';
  return [fieldError.forbidden('spec.providerID', detail)];
}
