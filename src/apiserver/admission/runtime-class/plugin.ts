import { RuntimeClass } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { RuntimeClass as RuntimeClassObject } from '#kinds/generated/types/node_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { ApiError } from '#machinery/errors.ts';
import { pathSegmentProblems, unusableName } from '#machinery/names.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, type AdmissionPlugin, objectAs, refusal } from '../plugin.ts';

/** A pod's runtime class must exist; its overhead and its demands on nodes become the pod's own (KEP-585, KEP-688). */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  operations: ['CREATE'],
  resources: ['/pods'],
  mutate(attributes, registry) {
    const found = classOf(attributes, registry);
    if (found === undefined) return;
    addOverhead(attributes, found);
    addScheduling(attributes, found);
  },
  validate(attributes, registry) {
    const pod = objectAs<Pod>(attributes);
    const { overhead } = pod.spec;
    const expected = classOf(attributes, registry)?.overhead;
    if (expected !== undefined) {
      if (!equalValues(overhead ?? {}, expected.podFixed ?? {})) throw refused(attributes, mismatch);
    } else if (overhead !== undefined || emptiedFields(pod.spec)['overhead'] !== undefined)
      throw refused(attributes, 'Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
};

const mismatch = "Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** The class that a pod names. @throws ApiError when there is none of that name */
function classOf(attributes: AdmissionAttributes, { resources }: Registry): RuntimeClassObject | undefined {
  const { runtimeClassName: wanted = '' } = objectAs<Pod>(attributes).spec;
  if (wanted === '') return undefined;
  const found = resources.of(RuntimeClass).storage!.cache.get(wanted);
  if (found !== undefined) return found.value.object as RuntimeClassObject;
  // Upstream asks the API, where some names have no place.
  const problems = pathSegmentProblems(wanted);
  if (problems.length > 0) throw new ApiError(500, '', unusableName(wanted, problems));
  throw refused(attributes, `RuntimeClass "${wanted}" not found`);
}

function refused(attributes: AdmissionAttributes, why: string): ApiError {
  return refusal(attributes, `pod rejected: ${why}`);
}

function addOverhead(attributes: AdmissionAttributes, { overhead }: RuntimeClassObject): void {
  const pod = objectAs<Pod>(attributes);
  const podFixed = overhead?.podFixed;
  if (pod.spec.overhead !== undefined && !equalValues(pod.spec.overhead, podFixed)) {
    throw refused(attributes, mismatch);
  }
  if (podFixed !== undefined) pod.spec.overhead = { ...podFixed };
}

function addScheduling(attributes: AdmissionAttributes, { scheduling }: RuntimeClassObject): void {
  const pod = objectAs<Pod>(attributes);
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = pod.spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      const said = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
      throw refusal(attributes, `conflict: ${said}`);
    }
    pod.spec.nodeSelector = { ...pod.spec.nodeSelector, [key]: value };
  }
  for (const toleration of scheduling?.tolerations ?? []) {
    if (pod.spec.tolerations?.some((own) => equalValues(own, toleration))) continue;
    pod.spec.tolerations = [...(pod.spec.tolerations ?? []), { ...toleration }];
  }
}
