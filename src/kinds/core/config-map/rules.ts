import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const configMapRules: KindRules<core.ConfigMap> = {};
