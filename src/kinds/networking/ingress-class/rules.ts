import type * as networking from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateIngressClass, validateIngressClassUpdate } from '../validation.ts';

export const ingressClassRules: KindRules<networking.IngressClass> = {
  validate: validateIngressClass,
  validateUpdate: validateIngressClassUpdate,
  defaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  hasGeneration: true,
};
