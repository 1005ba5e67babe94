import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { kindsTable } from '../../tools/kinds-table.ts';

test('docs/kinds.md says what the server does (npx node tools/kinds-table.ts writes it anew)', async () => {
  const written = await readFile(new URL('../../docs/kinds.md', import.meta.url), 'utf8');
  assert.equal(written, kindsTable());
});

test('no cell of the table is empty', () => {
  const rows = kindsTable()
    .split('\n')
    .filter((line) => line.startsWith('| '));
  for (const row of rows) assert.ok(!/\|\s*\|/.test(row), row);
});
