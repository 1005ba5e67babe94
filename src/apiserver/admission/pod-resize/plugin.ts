import { addAmounts, podTotals } from '#kinds/core/pod/totals.ts';
import { Node } from '#kinds/generated/handles.ts';
import type { Node as NodeObject, Pod } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { compareQuantities, milliValue, quantity, wholeValue } from '#machinery/quantity.ts';
import { type AdmissionAttributes, type AdmissionPlugin, lookUp, refusal } from '../plugin.ts';

const osLabel = 'kubernetes.io/os';

/** A running pod grows only to what its node could ever give it (KEP-1287). */
export const podResizeValidator: AdmissionPlugin = {
  name: 'PodResizeValidator',
  operations: ['UPDATE'],
  resources: ['/pods/resize'],
  validate(attributes, registry) {
    const pod = attributes.object as Pod;
    const name = pod.spec.nodeName ?? '';
    if (name === '' || pod.metadata.generation === attributes.oldObject?.metadata.generation) return;
    const node = lookUp(registry, Node, { name });
    if (node === undefined) throw refusal(attributes, `node ${JSON.stringify(name)} not found`);
    const os = node.metadata.labels?.[osLabel] ?? 'linux';
    if (os !== 'linux') {
      const why = `pod resize is only supported on linux nodes, node ${JSON.stringify(name)} is ${JSON.stringify(os)}`;
      throw withCause(attributes, why, 'UnsupportedPlatform');
    }
    const missing = shortages(pod, node);
    if (missing.length > 0) {
      const why = `node didn't have enough allocatable resources: ${missing.join('; ')}`;
      throw withCause(attributes, why, 'NodeCapacity');
    }
  },
};

function shortages({ spec }: Pod, { status }: NodeObject): string[] {
  const requests = podTotals(spec, 'requests');
  addAmounts(requests, spec.overhead);
  return (
    [
      ['cpu', milliValue],
      ['memory', wholeValue],
    ] as const
  ).flatMap(([name, count]) => {
    const wanted = requests.get(name);
    const there = quantity(status?.allocatable?.[name]);
    if (wanted === undefined || compareQuantities(wanted, there) <= 0) return [];
    return [`${name}, requested: ${count(wanted)}, allocatable: ${count(there)}`];
  });
}

function withCause(attributes: AdmissionAttributes, why: string, reason: string): ApiError {
  const { code, reason: kind, message, status } = refusal(attributes, why);
  return new ApiError(code, kind, message, { ...status.details, causes: [{ reason }] });
}
