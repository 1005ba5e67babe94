import type * as core from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { qosClassOf } from '../qos.ts';
import { mirrorAnnotation } from './annotations.ts';

/** What a resize may change. */
const resizable: readonly string[] = ['cpu', 'memory'];
const sections = ['requests', 'limits'] as const;
const lists = ['containers', 'initContainers'] as const;

type Resources = core.ResourceRequirements | undefined;

/** A resize changes CPU and memory of the containers that there are, and not the pod's class (KEP-1287). */
export function validatePodResize(pod: core.Pod, old: core.Pod): FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined)
    return [fieldError.forbidden('[]', 'static pods cannot be resized')];
  if (old.spec.os?.name === 'windows') return [fieldError.forbidden('[]', 'windows pods cannot be resized')];
  const errors: FieldError[] = [];
  if ((old.status?.qosClass ?? qosClassOf(old.spec)) !== qosClassOf(pod.spec)) {
    const detail = 'Pod QOS Class may not change as a result of resizing';
    errors.push(fieldError.invalid('spec', pod.status?.qosClass ?? '', detail));
  }
  if (!isSupported(old)) errors.push(fieldError.forbidden('spec', 'Pod running on node without support for resize'));
  errors.push(...podLevelErrors(pod.spec.resources, old.spec.resources));
  const order = orderErrors(pod.spec, old.spec);
  if (order.length > 0) return [...errors, ...order];
  return [...errors, ...lists.toReversed().flatMap((list) => removals(list, pod, old)), ...otherChanges(pod, old)];
}

/** A node that says nothing of the resources of what runs there does not resize it. */
function isSupported({ status }: core.Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function podLevelErrors(resources: Resources, old: Resources): FieldError[] {
  if (old !== undefined && resources === undefined)
    return [fieldError.forbidden('spec.resources', 'pod-level resources cannot be removed')];
  const errors = sections
    .filter((section) => isRemoved(resources?.[section], old?.[section]))
    .map((section) =>
      fieldError.forbidden(`spec.resources.${section}`, `pod-level resource ${section} cannot be removed`),
    );
  if (!equalValues(othersOf(resources), othersOf(old)))
    errors.push(fieldError.forbidden('spec', 'only cpu and memory resources are mutable at pod-level'));
  return errors;
}

function orderErrors(spec: core.PodSpec, old: core.PodSpec): FieldError[] {
  return lists.flatMap((list) => {
    const [now, before] = [spec[list] ?? [], old[list] ?? []];
    if (now.length !== before.length)
      return [fieldError.forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
    return before.flatMap(({ name }, index) =>
      now[index]!.name === name
        ? []
        : [fieldError.forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
    );
  });
}

function removals(list: (typeof lists)[number], pod: core.Pod, old: core.Pod): FieldError[] {
  return (old.spec[list] ?? []).flatMap((before, index) =>
    sections
      .filter((section) => isRemoved(pod.spec[list]![index]!.resources?.[section], before.resources?.[section]))
      .map((section) =>
        fieldError.forbidden(`spec.${list}[${index}].resources.${section}`, `resource ${section} cannot be removed`),
      ),
  );
}

function otherChanges(pod: core.Pod, old: core.Pod): FieldError[] {
  const isOther = (now: core.Container, before: core.Container): boolean =>
    !equalValues({ ...now, resources: othersOf(now.resources) }, { ...before, resources: othersOf(before.resources) });
  const errors = (old.spec.containers ?? []).flatMap((before, index) =>
    isOther(pod.spec.containers[index]!, before)
      ? [fieldError.forbidden('spec', 'only cpu and memory resources are mutable')]
      : [],
  );
  for (const [index, before] of (old.spec.initContainers ?? []).entries()) {
    const now = pod.spec.initContainers![index]!;
    const at = `spec.initContainers[${index}]`;
    if (isOther(now, before))
      errors.push(fieldError.forbidden(at, 'only cpu and memory resources for init or sidecar containers are mutable'));
    const restarts = now.resizePolicy?.some(({ restartPolicy }) => restartPolicy === 'RestartContainer') === true;
    if (restarts && before.restartPolicy !== 'Always' && !equalValues(now, before)) {
      const detail = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized';
      errors.push(fieldError.forbidden(at, detail));
    }
  }
  return errors;
}

/** What of resources a resize leaves alone; nothing where there is nothing. */
function othersOf(resources: Resources): object {
  const others = sections.map((section) => {
    const amounts = Object.entries(resources?.[section] ?? {}).filter(([name]) => !resizable.includes(name));
    return Object.fromEntries(amounts);
  });
  // Claims of a container are not looked at: upstream keeps those that it had.
  return { requests: others[0], limits: others[1] };
}

function isRemoved(
  amounts: Readonly<Record<string, string>> | undefined,
  old: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.keys(old ?? {}).some((name) => amounts?.[name] === undefined);
}
