import { randomUuid } from '#base/random.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateLimitRange } from './validation.ts';

export const limitRangeRules: KindRules<core.LimitRange> = {
  defaults(range) {
    for (const item of range.spec?.limits ?? []) {
      if (item.type !== 'Container') continue;
      item.default = { ...item.max, ...item.default };
      item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
      if (Object.keys(item.default).length === 0) delete item.default;
      if (Object.keys(item.defaultRequest).length === 0) delete item.defaultRequest;
    }
  },
  prepareForCreate({ metadata }, { random }) {
    // The one kind that names itself.
    if ((metadata.name ?? '') === '') metadata.name = randomUuid(random);
  },
  validate: validateLimitRange,
  allowCreateOnUpdate: true,
};
