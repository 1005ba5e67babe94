import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '#testing/properties.ts';
import { matchesFields, parseFieldSelector } from './fields.ts';
import { parseLabelSelector } from './label-parser.ts';
import { formatSelector, matchesLabels, requirement, selectorOf } from './labels.ts';

const matches = (selector: string, labels: Record<string, string>): boolean =>
  matchesLabels(parseLabelSelector(selector), labels);

test('label selectors match as documented', () => {
  assert.ok(matches('', {}));
  assert.ok(matches('app=web,tier in (a, b)', { app: 'web', tier: 'b' }));
  assert.ok(matches('app!=web', {}));
  assert.ok(matches('!app', { other: '' }));
  assert.ok(matches('app notin (web),in', { in: 'x' }));
  assert.ok(matches('size>3,size<10', { size: '7' }));
  assert.ok(matches('app=', { app: '' }));
  assert.ok(matches('app in ()', { app: '' }));
  assert.ok(!matches('app', {}));
  assert.ok(!matches('constructor', {}));
  assert.ok(!matchesLabels(selectorOf(undefined), {}));
  assert.ok(matchesLabels(selectorOf({}), {}));
});

test('broken label selectors say what upstream says', () => {
  const says = (selector: string, message: string) => assert.throws(() => parseLabelSelector(selector), { message });
  says('a,', "found '', expected: identifier after ','");
  says('=a', "found '=', expected: !, identifier, or 'end of string'");
  says('a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
  says('a in b', "unable to parse requirement: found 'b' expected: '('");
  says('a in (b', "unable to parse requirement: found '', expected: ',' or ')'");
  says(
    'a>x',
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  );
});

test('printed label selectors read back as themselves', () => {
  const key = fc.stringMatching(/^[a-z]{1,4}$/).filter((word) => word !== 'in' && word !== 'notin');
  const value = fc.stringMatching(/^[a-z0-9]{1,4}$/);
  const any = fc.oneof(
    fc.tuple(key, fc.constantFrom('in' as const, 'notin' as const), fc.array(value, { minLength: 1, maxLength: 3 })),
    fc.tuple(key, fc.constantFrom('=' as const, '!=' as const, '==' as const), fc.tuple(value)),
    fc.tuple(key, fc.constantFrom('exists' as const, '!' as const), fc.constant([])),
  );
  fc.assert(
    fc.property(fc.uniqueArray(any, { selector: ([name]) => name }), (parts) => {
      const requirements = parts.map(([name, operator, values]) => requirement(name, operator, values));
      const text = formatSelector({ nothing: false, requirements });
      assert.deepEqual(new Set(parseLabelSelector(text).requirements), new Set(requirements));
    }),
  );
});

test('field selectors match, escape and refuse', () => {
  const fields: Record<string, string> = { 'spec.nodeName': 'a,b', 'status.phase': 'Running' };
  const selector = parseFieldSelector('status.phase!=Failed,spec.nodeName=a\\,b');
  assert.ok(matchesFields(selector, (field) => fields[field] ?? ''));
  assert.throws(() => parseFieldSelector('a'), { message: "invalid selector: 'a'; can't understand 'a'" });
  assert.deepEqual(parseFieldSelector('a==b'), [{ field: 'a', operator: '=', value: 'b' }]);
});
