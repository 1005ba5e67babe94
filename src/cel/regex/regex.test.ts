import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, findAllTexts, findText, matchesText } from './pattern.ts';

/** Patterns whose meaning RE2 and JavaScript agree on: what is repeated is never empty. */
const { whole: pattern } = fc.letrec<{ readonly whole: string; readonly solid: string }>((tie) => ({
  solid: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w'),
    fc.tuple(tie('solid'), tie('whole')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('solid'), tie('solid')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('solid'), fc.constantFrom('+', '{2}', '{1,2}', '+?')).map(([a, b]) => `(?:${a})${b}`),
  ),
  whole: fc.oneof(
    { depthSize: 'small' },
    tie('solid'),
    fc.constantFrom('^', '$', '\\b', ''),
    fc.tuple(tie('whole'), tie('whole')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('solid'), fc.constantFrom('*', '?', '*?', '??', '{0,2}')).map(([a, b]) => `(?:${a})${b}`),
  ),
}));

const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', 'é'), maxLength: 8 });

test('finds what a backtracking engine finds', () => {
  const property = fc.property(pattern, text, (source, subject) => {
    const reference = new RegExp(source, 'u');
    assert.equal(matchesText(subject, source), reference.test(subject));
    assert.equal(findText(subject, source), reference.exec(subject)?.[0]);
  });
  fc.assert(property, { numRuns: 400 });
});

test('takes time in proportion to the text, whatever the pattern', () => {
  const subject = 'a'.repeat(20_000);
  assert.equal(matchesText(subject, '^(a|aa)+$'), true);
  assert.equal(matchesText(`${subject}b`, '^(a+)+$'), false);
  assert.equal(matchesText(subject, '(x+x+)+y'), false);
});

test('reads the syntax of RE2, not that of JavaScript', () => {
  assert.equal(matchesText('Straße', '(?i)^STRA\\pL+E$'), true);
  assert.equal(matchesText('a\nb', 'a.b'), false);
  assert.equal(matchesText('a\nb', '(?s)a.b'), true);
  assert.equal(matchesText('x\ny', '(?m)^y$'), true);
  assert.equal(matchesText('a.b', '^\\Qa.b\\E$'), true);
  assert.equal(matchesText('ß', '^[[:alpha:]]$'), false);
  assert.deepEqual(findAllTexts('aXbXXc', 'X*'), ['', 'X', 'XX', '']);
  const errors = ['a(?=b)', '\\1', '(', '[z-a]', 'a**', '(?P<n', 'x{1001}', '*'];
  assert.deepEqual(
    errors.map((source) => compilePattern(source).error),
    [
      'error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
      'error parsing regexp: invalid escape sequence: `\\1`',
      'error parsing regexp: missing closing ): `(`',
      'error parsing regexp: invalid character class range: `z-a`',
      'error parsing regexp: invalid nested repetition operator: `**`',
      'error parsing regexp: invalid named capture: `(?P<n`',
      'error parsing regexp: invalid repeat count: `{1001}`',
      'error parsing regexp: missing argument to repetition operator: `*`',
    ],
  );
});
