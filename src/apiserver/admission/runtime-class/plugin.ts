import { RuntimeClass } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { RuntimeClass as RuntimeClassObject } from '#kinds/generated/types/node_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { ApiError, forbidden } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { pathSegmentProblems, unusableName } from '#machinery/names.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionPlugin, objectAs } from '../plugin.ts';

const pods = { group: '', resource: 'pods' };

/** A pod's runtime class must exist; its overhead and its demands on nodes become the pod's own (KEP-585, KEP-688). */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  operations: ['CREATE'],
  resources: ['/pods'],
  mutate(attributes, registry) {
    const pod = objectAs<Pod>(attributes);
    const found = classOf(pod, registry);
    if (found === undefined) return;
    addOverhead(pod, found);
    addScheduling(pod, found);
  },
  validate(attributes, registry) {
    const pod = objectAs<Pod>(attributes);
    const { overhead } = pod.spec;
    const expected = classOf(pod, registry)?.overhead;
    if (expected !== undefined) {
      if (!equalValues(overhead ?? {}, expected.podFixed ?? {})) throw refused(pod, mismatch);
    } else if (overhead !== undefined || emptiedFields(pod.spec)['overhead'] !== undefined)
      throw refused(pod, 'Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
};

const mismatch = "Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** The class that a pod names. @throws ApiError when there is none of that name */
function classOf({ metadata, spec }: Pod | Mutable<Pod>, { resources }: Registry): RuntimeClassObject | undefined {
  const { runtimeClassName: wanted = '' } = spec;
  if (wanted === '') return undefined;
  const found = resources.of(RuntimeClass).storage!.cache.get(wanted);
  if (found !== undefined) return found.value.object as RuntimeClassObject;
  // Upstream asks the API, where some names have no place.
  const problems = pathSegmentProblems(wanted);
  if (problems.length > 0) throw new ApiError(500, '', unusableName(wanted, problems));
  throw refused({ metadata, spec } as Pod, `RuntimeClass "${wanted}" not found`);
}

function refused(pod: Pod | Mutable<Pod>, why: string): ApiError {
  return forbidden(pods, pod.metadata.name ?? '', `pod rejected: ${why}`);
}

function addOverhead(pod: Mutable<Pod>, { overhead }: RuntimeClassObject): void {
  const podFixed = overhead?.podFixed;
  if (pod.spec.overhead !== undefined && !equalValues(pod.spec.overhead, podFixed)) {
    throw refused(pod, mismatch);
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
