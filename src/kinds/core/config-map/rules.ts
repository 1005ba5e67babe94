import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateFrozen } from '../data.ts';
import { validateConfigMap } from './validation.ts';

export const configMapRules: KindRules<core.ConfigMap> = {
  validate: validateConfigMap,
  validateUpdate: validateFrozen,
};
