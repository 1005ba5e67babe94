import type * as core from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { labelKeyProblems, labelValueProblems } from '#machinery/names.ts';

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTaints(taints: readonly core.Taint[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  return each(taints, path, (taint, at) => {
    const { key, value = '', effect } = taint;
    const errors = invalidAll(`${at}.key`, key, labelKeyProblems(key));
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(fieldError.invalid(`${at}.value`, value, problems.join(';')));
    if ((effect ?? '') === '') errors.push(fieldError.required(`${at}.effect`));
    else if (!taintEffects.includes(effect))
      errors.push(fieldError.notSupportedInOrder(`${at}.effect`, effect, taintEffects));
    if (seen.has(`${effect}/${key}`)) {
      const detail = 'taints must be unique by key and effect pair';
      errors.push(fieldError.duplicate(at, goStruct('core.Taint', taint), detail));
    }
    seen.add(`${effect}/${key}`);
    return errors;
  });
}
