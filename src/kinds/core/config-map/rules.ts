import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateConfigMap, validateConfigMapUpdate } from '../validation.ts';

export const configMapRules: KindRules<core.ConfigMap> = {
  validate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
};
