import { randomUuid } from '#base/random.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateLimitRange } from './validation.ts';

export const limitRangeRules: KindRules<core.LimitRange> = {
  defaults(range) {
    for (const item of range.spec?.limits ?? []) {
      if (item.type !== 'Container') continue;
      const limits = { ...item.max, ...item.default };
      if (hasMore(limits, item.default)) item.default = limits;
      const requests = { ...item.min, ...limits, ...item.defaultRequest };
      if (hasMore(requests, item.defaultRequest)) item.defaultRequest = requests;
    }
  },
  prepareForCreate({ metadata }, { random }) {
    // The one kind that names itself.
    if ((metadata.name ?? '') === '') metadata.name = randomUuid(random);
  },
  validate: validateLimitRange,
  allowCreateOnUpdate: true,
};

function hasMore(amounts: object, before: object | undefined): boolean {
  return Object.keys(amounts).length > Object.keys(before ?? {}).length;
}
