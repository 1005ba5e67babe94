import type { KindRules, RuleContext } from '#kinds/kind.ts';
import type { ResourceRow } from '#kinds/resources.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { RulesOf } from './resource.ts';
import type { IsServed } from './runtime-config.ts';

/** Which of the built-in resources there are for clients, and what pods may be. */
export interface BuiltInOptions {
  /** Absent: all are served. */
  readonly isServed?: IsServed;
  /** Containers may ask for the machine's privileges; absent: they may. */
  readonly allowsPrivileged?: boolean;
}

/** Where kinds that are pods, or make pods, say what these are like. */
const podSpecs: Readonly<Record<string, readonly string[]>> = {
  '/pods': ['spec'],
  '/podtemplates': ['template', 'spec'],
  '/replicationcontrollers': ['spec', 'template', 'spec'],
  'apps/replicasets': ['spec', 'template', 'spec'],
  'apps/deployments': ['spec', 'template', 'spec'],
  'apps/statefulsets': ['spec', 'template', 'spec'],
  'apps/daemonsets': ['spec', 'template', 'spec'],
  'batch/jobs': ['spec', 'template', 'spec'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};
const containerFields = ['initContainers', 'containers', 'ephemeralContainers'];

/** The same rules, and no privileged containers, as a server without `--allow-privileged` has it. */
export function withoutPrivileged(rulesOf: RulesOf): RulesOf {
  return (row) => {
    const rules = rulesOf(row);
    const path = podSpecs[`${row.group}/${row.resource}`];
    return path === undefined ? rules : refusing(rules, path);
  };
}

function refusing(rules: KindRules, path: readonly string[]): KindRules {
  return {
    ...rules,
    validate: (object: ApiObject, context: RuleContext) => [
      ...(rules.validate?.(object, context) ?? []),
      ...privilegedContainers(object, path),
    ],
  };
}

interface ContainerLike {
  readonly securityContext?: { readonly privileged?: boolean };
}

function privilegedContainers(object: ApiObject, path: readonly string[]): readonly FieldError[] {
  let spec: unknown = object;
  for (const step of path) spec = (spec as Readonly<Record<string, unknown>> | undefined)?.[step];
  const lists = (spec ?? {}) as Readonly<Record<string, readonly ContainerLike[] | undefined>>;
  return containerFields.flatMap((field) =>
    (lists[field] ?? []).flatMap(({ securityContext }, index) =>
      securityContext?.privileged === true
        ? [
            fieldError.forbidden(
              `${path.join('.')}.${field}[${index}].securityContext.privileged`,
              'disallowed by cluster policy',
            ),
          ]
        : [],
    ),
  );
}

/** Nothing is refused and nothing is hidden unless the options say so. */
export function builtInResources(
  rulesOf: RulesOf,
  { isServed = () => true, allowsPrivileged = true }: BuiltInOptions = {},
): { readonly rulesOf: RulesOf; readonly isServed: (row: ResourceRow) => boolean } {
  return { rulesOf: allowsPrivileged ? rulesOf : withoutPrivileged(rulesOf), isServed };
}
