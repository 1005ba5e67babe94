import type { Pod, PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { type PodSubject, subjectOf } from './checks/check.ts';

interface Templated {
  readonly template?: PodTemplateSpec;
  readonly spec?: {
    readonly template?: PodTemplateSpec;
    readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } };
  };
}

/** Where kinds that make pods keep what these will be like, by `group/resource`. */
const templates: Readonly<Record<string, (object: Templated) => PodTemplateSpec | undefined>> = {
  '/podtemplates': ({ template }) => template,
  '/replicationcontrollers': ({ spec }) => spec?.template,
  'apps/replicasets': ({ spec }) => spec?.template,
  'apps/deployments': ({ spec }) => spec?.template,
  'apps/statefulsets': ({ spec }) => spec?.template,
  'apps/daemonsets': ({ spec }) => spec?.template,
  'batch/jobs': ({ spec }) => spec?.template,
  'batch/cronjobs': ({ spec }) => spec?.jobTemplate?.spec?.template,
};

export const templatedResources = Object.keys(templates);

/** The pod that a controller will make; undefined when it does not say. */
export function templateSubject(path: string, object: ApiObject): PodSubject | undefined {
  const template = templates[path]?.(object as Templated);
  return template?.spec === undefined ? undefined : subjectOf(template.metadata, template.spec);
}

export function podSubject({ metadata, spec }: Pod): PodSubject {
  return subjectOf(metadata, spec);
}
