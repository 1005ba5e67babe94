import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { conform } from '#machinery/conform.ts';
import type { ApiObject, Json, Mutable } from '#machinery/meta.ts';
import { parseYamlDocuments } from '#machinery/yaml.ts';
import { type ResourceRow, resourceRows } from './resources.ts';
import { rulesFor } from './rules.ts';

const testing = new URL('../../testing/', import.meta.url);

test('defaults write nothing where nothing is missing: a status write shares the rest with the stored object', () => {
  let count = 0;
  for (const row of resourceRows) {
    const { defaults } = rulesFor(row);
    if (defaults === undefined) continue;
    for (const example of examplesOf(row)) {
      const object = conform(example, row.schema).value as unknown as Mutable<ApiObject>;
      defaults(object);
      freeze(object);
      assert.doesNotThrow(() => defaults(object), `${row.group}/${row.version} ${row.kind}`);
      count++;
    }
  }
  assert.ok(count > 80, `${count} examples`);
});

/** A small good object of each kind, and one with everything set. */
function* examplesOf({ group, version, kind }: ResourceRow): Generator<Json> {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  yield* small.filter((object) => object['apiVersion'] === apiVersion && object['kind'] === kind);
  const golden = new URL(`golden/${group || 'core'}.${version}.${kind}.json`, testing);
  if (existsSync(golden)) yield JSON.parse(readFileSync(golden, 'utf8')) as Json;
}

const small = parseYamlDocuments(
  readFileSync(new URL('differential/bases.yaml', testing), 'utf8'),
) as readonly Readonly<Record<string, Json>>[];

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}
