import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGoUrl } from './go-url.ts';

test('what Go takes for a URL has its parts, and what it does not says why', () => {
  const reason = (text: string): string => (parseGoUrl(text) as Error).message;
  assert.deepEqual(parseGoUrl('https://me:word@a.b:80/c?d#e'), {
    scheme: 'https',
    host: 'a.b:80',
    user: 'me:word',
    query: 'd',
    fragment: 'e',
  });
  assert.deepEqual(parseGoUrl('fd00::1'), { scheme: 'fd00', host: '', user: undefined, query: '', fragment: '' });
  assert.equal(reason('50%'), 'parse "50%": invalid URL escape "%"');
  assert.equal(reason('2026-01-01T00:00'), 'parse "2026-01-01T00:00": first path segment in URL cannot contain colon');
  assert.equal(reason('https://a:b/'), 'parse "https://a:b/": invalid port ":b" after host');
});
