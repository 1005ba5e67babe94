import { PriorityClass } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PriorityClass as PriorityClassObject } from '#kinds/generated/types/scheduling_v1.ts';
import { forbidden } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionPlugin, objectAs, subjectName } from '../plugin.ts';
import { checkOnlyDefault } from './classes.ts';

const classes = 'scheduling.k8s.io/priorityclasses';
const pods = { group: '', resource: 'pods' };

/** Turns a pod's priority class into a number, and refuses numbers that do not come from a class. */
export const priority: AdmissionPlugin = {
  name: 'Priority',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/pods', classes],
  validate(attributes, registry) {
    if (attributes.request.resource.kind.resource === 'priorityclasses') checkOnlyDefault(attributes, registry);
  },
  mutate(attributes, registry) {
    if (attributes.request.resource.kind.resource !== 'pods') return;
    const pod = objectAs<Pod>(attributes);
    if (attributes.operation === 'UPDATE') return keepGiven(pod, attributes.oldObject as unknown as Pod);
    const name = subjectName(attributes);
    const given = pod.spec.priorityClassName ?? '';
    const found = given === '' ? globalDefault(registry) : classNamed(registry, given);
    if (given !== '' && found === undefined)
      throw forbidden(pods, name, `no PriorityClass with name ${given} was found`);
    const value = found?.value ?? 0;
    const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
    if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
      throw forbidden(
        pods,
        name,
        `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== policy) {
      throw forbidden(
        pods,
        name,
        `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    }
    if (given === '' && found !== undefined) pod.spec.priorityClassName = found.metadata.name!;
    pod.spec.priority = value;
    pod.spec.preemptionPolicy = policy;
  },
};

/** What this plugin gave a pod stays when a writer leaves it out. */
function keepGiven({ spec }: Mutable<Pod>, { spec: old }: Pod): void {
  if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority;
  if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined)
    spec.preemptionPolicy = old.preemptionPolicy;
}

function classNamed(registry: Registry, name: string): PriorityClassObject | undefined {
  return registry.resources.of(PriorityClass).storage!.cache.get(name)?.value.object as PriorityClassObject | undefined;
}

/** The class that pods without one get; of several, the one with the lowest value. */
function globalDefault(registry: Registry): PriorityClassObject | undefined {
  let lowest: PriorityClassObject | undefined;
  for (const entry of registry.resources.of(PriorityClass).storage!.cache.entries()) {
    const candidate = entry.value.object as PriorityClassObject;
    if (candidate.globalDefault === true && (lowest === undefined || (candidate.value ?? 0) < (lowest.value ?? 0)))
      lowest = candidate;
  }
  return lowest;
}
