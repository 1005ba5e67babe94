import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './log.ts';

test('what is said at a level or above is one line, for people or for programs, whatever stands in it', () => {
  const said = (format: 'text' | 'json'): readonly string[] => {
    const lines: string[] = [];
    const log = createLog({ write: (line) => lines.push(line), now: () => 1_700_000_000_000, level: 'warn', format });
    log.info('not told');
    log.named('store').warn('two\nlines', { key: 'a "b"\u2028', count: 3, none: undefined });
    return lines;
  };
  assert.deepEqual(said('text'), ['2023-11-14T22:13:20.000Z WARN  store: two\\nlines key="a \\"b\\"\\u2028" count=3']);
  const [line = '', ...more] = said('json');
  assert.deepEqual(more, []);
  assert.doesNotMatch(line, /[\n\u2028]/);
  assert.deepEqual(JSON.parse(line), {
    ts: 1_700_000_000_000,
    level: 'warn',
    logger: 'store',
    msg: 'two\nlines',
    key: 'a "b"\u2028',
    count: 3,
  });
});
