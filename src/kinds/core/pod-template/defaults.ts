import { defaultPodSpec } from '#kinds/core/pod/defaults.ts';
import type { PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import type { Mutable } from '#machinery/meta.ts';

/** Defaults of a pod template, wherever one stands: less than what a pod itself gets. */
export function defaultTemplate(template: Mutable<PodTemplateSpec>): void {
  template.spec ??= { containers: [] };
  defaultPodSpec(template.spec);
}
