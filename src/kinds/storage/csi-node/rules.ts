import type { CSINode } from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateCsiNode, validateCsiNodeUpdate } from '../validation.ts';

export const csiNodeRules: KindRules<CSINode> = {
  validate: validateCsiNode,
  validateUpdate: validateCsiNodeUpdate,
  allowUnconditionalUpdate: false,
};
