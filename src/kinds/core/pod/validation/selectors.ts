import type * as core from '#kinds/generated/types/core_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { configKeyProblems, labelKeyProblems, subdomainProblems } from '#machinery/names.ts';

const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const volumeFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
const containerResources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** A field of the pod that an environment variable or a file shows (the downward API). */
export function validateFieldSelector(
  selector: core.ObjectFieldSelector,
  path: string,
  use: 'environment' | 'volume',
): FieldError[] {
  const { apiVersion = '', fieldPath = '' } = selector;
  if (apiVersion === '') return [fieldError.required(`${path}.apiVersion`)];
  if (fieldPath === '') return [fieldError.required(`${path}.fieldPath`)];
  if (apiVersion !== 'v1') {
    const detail = `error converting fieldPath: unsupported pod version: ${apiVersion}`;
    return [fieldError.invalid(`${path}.fieldPath`, fieldPath, detail)];
  }
  const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(fieldPath);
  if (subscript !== null) {
    const key = subscript[1] === 'metadata.annotations' ? subscript[2]!.toLowerCase() : subscript[2]!;
    return invalidAll(path, subscript[2], labelKeyProblems(key));
  }
  const allowed = use === 'volume' ? volumeFields : environmentFields;
  if (allowed.includes(fieldPath)) return [];
  const known = new Set([
    ...environmentFields,
    ...volumeFields,
    'spec.restartPolicy',
    'spec.schedulerName',
    'status.phase',
  ]);
  if (!known.has(fieldPath)) {
    const detail = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [fieldError.invalid(`${path}.fieldPath`, fieldPath, detail)];
  }
  return [fieldError.notSupported(`${path}.fieldPath`, fieldPath, allowed)];
}

export function validateResourceSelector(
  selector: core.ResourceFieldSelector,
  path: string,
  use: 'environment' | 'volume',
): FieldError[] {
  if (use === 'volume' && (selector.containerName ?? '') === '') return [fieldError.required(`${path}.containerName`)];
  const { resource = '' } = selector;
  if (resource === '') return [fieldError.required(`${path}.resource`)];
  const isHugePages = /^(requests|limits)\.hugepages-/.test(resource);
  if (!isHugePages && !containerResources.includes(resource)) {
    return [fieldError.notSupported(`${path}.resource`, resource, containerResources)];
  }
  return validateDivisor(resource, selector.divisor ?? '0', path);
}

const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

function validateDivisor(resource: string, divisor: string, path: string): FieldError[] {
  if (divisor === '0') return [];
  if (resource.endsWith('.cpu')) {
    const detail = "only divisor's values 1m and 1 are supported with the cpu resource";
    return divisor === '1' || divisor === '1m' ? [] : [fieldError.invalid(`${path}.divisor`, resource, detail)];
  }
  const name = resource.endsWith('.memory')
    ? 'memory'
    : resource.endsWith('.ephemeral-storage')
      ? 'local ephemeral storage'
      : 'hugepages';
  const detail = `only divisor's values ${byteDivisors.join(', ')} are supported with the ${name} resource`;
  return byteDivisors.includes(divisor) ? [] : [fieldError.invalid(`${path}.divisor`, resource, detail)];
}

/** A key of a ConfigMap or Secret. */
export function validateKeySelector(
  selector: core.ConfigMapKeySelector | core.SecretKeySelector,
  path: string,
): FieldError[] {
  const { name = '', key = '' } = selector;
  const errors = invalidAll(`${path}.name`, name, subdomainProblems(name));
  if (key === '') errors.push(fieldError.required(`${path}.key`));
  else errors.push(...invalidAll(`${path}.key`, key, configKeyProblems(key)));
  return errors;
}
