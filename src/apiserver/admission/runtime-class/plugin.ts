import { RuntimeClass } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { RuntimeClass as RuntimeClassObject } from '#kinds/generated/types/node_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { ApiError, forbidden } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { pathSegmentProblems, unusableName } from '#machinery/names.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { type AdmissionPlugin, objectAs } from '../plugin.ts';

const pods = { group: '', resource: 'pods' };

/** A pod's runtime class must exist; its overhead and its demands on nodes become the pod's own (KEP-585, KEP-688). */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  operations: ['CREATE'],
  resources: ['/pods'],
  mutate(attributes, registry) {
    const pod = objectAs<Pod>(attributes);
    const wanted = pod.spec.runtimeClassName ?? '';
    if (wanted === '') {
      if (pod.spec.overhead !== undefined || emptiedFields(pod.spec)['overhead'] !== undefined)
        throw refused(pod, 'Pod Overhead set without corresponding RuntimeClass defined Overhead');
      return;
    }
    const found = registry.resources.of(RuntimeClass).storage!.cache.get(wanted)?.value.object as
      | RuntimeClassObject
      | undefined;
    if (found === undefined) {
      // Upstream asks the API, where such a name has no place.
      const problems = pathSegmentProblems(wanted);
      if (problems.length > 0) throw new ApiError(500, '', unusableName(wanted, problems));
      throw refused(pod, `RuntimeClass "${wanted}" not found`);
    }
    addOverhead(pod, found);
    addScheduling(pod, found);
  },
};

function refused(pod: Pod | Mutable<Pod>, why: string): ApiError {
  return forbidden(pods, pod.metadata.name ?? '', `pod rejected: ${why}`);
}

function addOverhead(pod: Mutable<Pod>, { overhead }: RuntimeClassObject): void {
  const podFixed = overhead?.podFixed;
  if (pod.spec.overhead !== undefined && !equalValues(pod.spec.overhead, podFixed)) {
    throw refused(pod, "Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  if (podFixed !== undefined) pod.spec.overhead = { ...podFixed };
}

function addScheduling(pod: Mutable<Pod>, { scheduling, metadata }: RuntimeClassObject): void {
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = pod.spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      throw refused(
        pod,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own} (RuntimeClass ${metadata.name})`,
      );
    }
    pod.spec.nodeSelector = { ...pod.spec.nodeSelector, [key]: value };
  }
  for (const toleration of scheduling?.tolerations ?? []) {
    if (pod.spec.tolerations?.some((own) => equalValues(own, toleration))) continue;
    pod.spec.tolerations = [...(pod.spec.tolerations ?? []), { ...toleration }];
  }
}
