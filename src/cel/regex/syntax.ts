/** The tree of a regular expression in RE2's syntax. */
export type Pattern =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly accepts: (codePoint: number) => boolean }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Pattern[] }
  | {
      readonly kind: 'repeat';
      readonly part: Pattern;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly kind: 'assertion'; readonly of: Assertion }
  | { readonly kind: 'group'; readonly part: Pattern; readonly index: number };

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'noWordBoundary';

/** The pattern is not one of RE2's; the message is Go's. */
export class PatternError extends Error {}

export function refusePattern(what: string, part: string): never {
  throw new PatternError(`error parsing regexp: ${what}: \`${part}\``);
}

/** RE2's limit on counted repetition, nested ones multiplied. */
export const maxRepeat = 1000;
