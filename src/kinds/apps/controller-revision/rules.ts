import type { ControllerRevision } from '#kinds/generated/types/apps_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateControllerRevision, validateControllerRevisionUpdate } from '../validation.ts';

export const controllerRevisionRules: KindRules<ControllerRevision> = {
  validate: validateControllerRevision,
  validateUpdate: validateControllerRevisionUpdate,
  validateUpdateOnly: true,
};
