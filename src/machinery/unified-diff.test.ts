import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unifiedDiff } from './unified-diff.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

test('a diff shows three lines around each change, and changes that lie near each other together', () => {
  const before = numbered(20);
  const after = [...before];
  after[1] = 'changed';
  after.splice(15, 1);
  assert.equal(
    unifiedDiff(before.join('\n'), after.join('\n')),
    [
      '@@ -1,5 +1,5 @@',
      ' line 0',
      '-line 1',
      '+changed',
      ' line 2',
      ' line 3',
      ' line 4',
      '@@ -13,7 +13,6 @@',
      ' line 12',
      ' line 13',
      ' line 14',
      '-line 15',
      ' line 16',
      ' line 17',
      ' line 18',
      '',
    ].join('\n'),
  );
});

test('texts that are the same have no diff', () => {
  assert.equal(unifiedDiff('a\nb', 'a\nb'), '');
});
