import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatColumns } from './table.ts';
import { tabulate } from './tabulate.ts';

test('lines that follow each other share the width of their columns, others do not', () => {
  const text = 'Name:\ta\nNamespace:\tb\nPlain\nX:\tc\nLonger:\td\te\n';
  assert.equal(tabulate(text), 'Name:       a\nNamespace:  b\nPlain\nX:       c\nLonger:  d  e\n');
});

test('a table pads every column but the last, and none is narrower than kubectl’s', () => {
  assert.equal(
    formatColumns([
      ['A', 'B'],
      ['longer', 'x'],
    ]),
    'A        B\nlonger   x\n',
  );
  assert.equal(formatColumns([['A', 'B']]), 'A     B\n');
});
