import { type FieldError, fieldError, invalid } from '#machinery/errors.ts';
import { dryRunErrors } from '../registry/deletion-options.ts';
import type { Verb } from '../registry/operation.ts';

/** Bytes of the name of who writes. */
const maxManagerBytes = 128;

const kinds: Readonly<Partial<Record<Verb, string>>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
};

/** Query parameters of a write, as its kind of options has them. @throws ApiError 422 with everything wrong. */
export function checkWriteOptions(query: URLSearchParams, verb: Verb, isApply: boolean): void {
  const kind = kinds[verb];
  if (kind === undefined) return;
  const manager = query.get('fieldManager') ?? '';
  const errors: FieldError[] = [];
  if (isApply && manager === '') errors.push(fieldError.required('fieldManager', 'is required for apply patch'));
  if (verb === 'patch' && !isApply && query.has('force'))
    errors.push(fieldError.forbidden('force', 'may not be specified for non-apply patch'));
  errors.push(...managerErrors(manager), ...dryRunErrors(query.getAll('dryRun')));
  const validation = query.get('fieldValidation') ?? '';
  const validations = ['', 'Ignore', 'Strict', 'Warn'];
  if (!validations.includes(validation))
    errors.push(fieldError.notSupported('fieldValidation', validation, validations));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
}

function managerErrors(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > maxManagerBytes) errors.push(fieldError.tooLong('fieldManager', maxManagerBytes));
  let position = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      const detail = `invalid character U+${code} (at position ${position})`;
      errors.push(fieldError.invalid('fieldManager', manager, detail));
    }
    position += Buffer.byteLength(character);
  }
  return errors;
}

/** What Go prints: letters, marks, numbers, punctuation, symbols and the plain space. */
function isPrintable(character: string): boolean {
  return character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);
}
