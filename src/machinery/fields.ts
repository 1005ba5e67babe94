/** Field selectors, as in `status.phase=Running,spec.nodeName!=a`. */

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** A conjunction; none means everything. */
export type FieldSelector = readonly FieldRequirement[];

/** Reads a field selector. Throws an Error with upstream's message. Which fields a kind has is not checked here. */
export function parseFieldSelector(text: string): FieldSelector {
  return splitTerms(text)
    .sort()
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
      if (match === null) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
      return { field: match[1]!, operator: match[2] === '!=' ? '!=' : '=', value: unescapeValue(match[3]!) } as const;
    })
    .filter(({ field, value }) => field !== '' || value !== '');
}

/** Terms between commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  if (text === '') return [];
  return text.match(/(?:\\[\s\S]|[^,\\]|\\$)+|(?<=^|,)(?=,|$)/g) ?? [];
}

function unescapeValue(text: string): string {
  let value = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '=' || character === ',') {
      throw new Error(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    }
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escaped = text[++at] ?? '';
    if (escaped === '' || !'\\,='.includes(escaped)) {
      throw new Error(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    value += escaped;
  }
  return value;
}

/** Whether the fields, read by `read`, satisfy the selector. */
export function matchesFields(selector: FieldSelector, read: (field: string) => string): boolean {
  return selector.every(({ field, operator, value }) => (read(field) === value) === (operator === '='));
}

/** The value that a selector pins a field to, if it does: `metadata.name=a` needs no list. */
export function exactField(selector: FieldSelector, field: string): string | undefined {
  return selector.find((requirement) => requirement.field === field && requirement.operator === '=')?.value;
}
