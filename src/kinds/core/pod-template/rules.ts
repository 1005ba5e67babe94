import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { dropDisabledTemplateFields } from '../pod/disabled.ts';
import { templateWarnings } from '../pod/warnings/index.ts';
import { defaultTemplate } from './defaults.ts';
import { validateTemplate } from './validation.ts';

export const podTemplateRules: KindRules<core.PodTemplate> = {
  defaults(object) {
    if (object.template !== undefined) defaultTemplate(object.template);
  },
  validate: ({ template }) => (template === undefined ? [] : validateTemplate(template, 'template')),
  prepareForCreate: ({ template }, context) => dropDisabledTemplateFields(template, undefined, context),
  prepareForUpdate: ({ template }, old, context) => dropDisabledTemplateFields(template, old.template, context),
  warnings: ({ metadata, template }, old) =>
    metadata.generation === old?.metadata.generation ? [] : templateWarnings(template, 'template'),
  hasGeneration: true,
};
