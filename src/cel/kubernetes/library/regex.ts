import { member } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import { compilePattern, findAllTexts, findText } from '../../regex/pattern.ts';
import { intType, listType, stringType } from '../../types/types.ts';
import { ArrayList } from '../../values/collections.ts';
import { fail } from '../../values/value.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library */

/** @throws Failure */
function requirePattern(pattern: string): string {
  const { error } = compilePattern(pattern);
  return error === undefined ? pattern : fail(`Illegal regex: ${error}`);
}

const findAll = (text: string, pattern: string, limit = -1): ArrayList =>
  new ArrayList(findAllTexts(text, requirePattern(pattern), limit < 0 ? Number.POSITIVE_INFINITY : limit));

const texts = listType(stringType);

export const kubernetesRegex: Library = {
  name: 'kubernetes.regex',
  overloads: [
    member(
      'find',
      'string_find_string',
      [stringType, stringType],
      stringType,
      (text: string, pattern: string) => findText(text, requirePattern(pattern)) ?? '',
    ),
    member('findAll', 'string_find_all_string', [stringType, stringType], texts, findAll),
    member('findAll', 'string_find_all_string_int', [stringType, stringType, intType], texts, findAll),
  ],
};
