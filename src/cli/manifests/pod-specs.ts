import type { Container } from '#kinds/generated/types/core_v1.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';
import { valueAt, withValueAt } from './objects.ts';
import type { LoadedTarget } from './targets.ts';

const templatePaths: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** Where the pod spec of an object stands. Throws CliError when it has none. */
function podSpecPath({ info, name, object }: LoadedTarget): readonly string[] {
  const path = templatePaths[info.kind] ?? ['spec', 'template', 'spec'];
  if (valueAt(object, ...path) === undefined) {
    throw new CliError(`the object is not a pod or does not have a pod template: ${info.resource}/${name}`);
  }
  return path;
}

/** The object with another pod spec. */
export function withPodSpec(target: LoadedTarget, change: (spec: JsonObject) => JsonObject): JsonObject {
  const path = podSpecPath(target);
  return withValueAt(target.object, path, change(valueAt(target.object, ...path) as JsonObject));
}

export const containersOf = (target: LoadedTarget): readonly Container[] =>
  (valueAt(target.object, ...podSpecPath(target), 'containers') ?? []) as unknown as readonly Container[];

/** The object with its chosen containers changed; `chooses` is a name with `*`. Throws CliError when none is chosen. */
export function withContainers(
  target: LoadedTarget,
  chooses: string,
  change: (container: Container) => Container,
): JsonObject {
  const pattern = new RegExp(`^${chooses.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  let found = false;
  const changed = withPodSpec(target, (spec) => {
    const changeAll = (list: unknown): JsonObject[] =>
      ((list ?? []) as readonly Container[]).map((container) => {
        if (!pattern.test(container.name)) return container as unknown as JsonObject;
        found = true;
        return change(container) as unknown as JsonObject;
      });
    const containers = changeAll(spec['containers']);
    return spec['initContainers'] === undefined
      ? { ...spec, containers }
      : { ...spec, containers, initContainers: changeAll(spec['initContainers']) };
  });
  if (!found) throw new CliError(`unable to find container named ${JSON.stringify(chooses)}`);
  return changed;
}
