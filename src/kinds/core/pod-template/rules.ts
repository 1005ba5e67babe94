import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { defaultTemplate } from './defaults.ts';
import { validateTemplate } from './validation.ts';

export const podTemplateRules: KindRules<core.PodTemplate> = {
  defaults(object) {
    if (object.template !== undefined) defaultTemplate(object.template);
  },
  validate: ({ template }) => (template === undefined ? [] : validateTemplate(template, 'template')),
  hasGeneration: true,
};
