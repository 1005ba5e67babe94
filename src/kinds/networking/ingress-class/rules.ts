import type * as networking from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateIngressClassUpdate } from '../validation.ts';

export const ingressClassRules: KindRules<networking.IngressClass> = {
  validateUpdate: validateIngressClassUpdate,
  defaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  hasGeneration: true,
};
