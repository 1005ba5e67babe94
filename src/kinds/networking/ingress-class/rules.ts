import type * as networking from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const ingressClassRules: KindRules<networking.IngressClass> = {
  defaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  hasGeneration: true,
};
