import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Json } from '#machinery/meta.ts';
import { structuralNode } from '../structural/node.ts';
import { celRules } from './engine.ts';

const schema = {
  type: 'object',
  properties: {
    child: {
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'self.b > 5', message: 'b small' }],
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    },
    list: {
      type: 'array',
      maxItems: 10,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      'x-kubernetes-validations': [{ rule: 'self.all(x, x.v > 3)', message: 'all big' }],
      items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer' } } },
    },
  },
} as unknown as JSONSchemaProps;

function outcome(value: Json, old?: Json) {
  const warnings: string[] = [];
  const rules = celRules.compile(structuralNode(schema));
  const errors = rules.validate({ value, old, warn: (text) => void warnings.push(text) });
  return { errors: errors.map(({ path, message }) => `${path}: ${message}`), warnings };
}

const [one, two] = [
  { k: 'x', v: 5 },
  { k: 'y', v: 1 },
];
const old = { child: { a: 1, b: 2 }, list: [one, two] };

test('what an update does not touch may stay, with a warning', () => {
  assert.deepEqual(outcome(old, old), {
    errors: [],
    warnings: ['child: Invalid value: b small', 'list: Invalid value: all big'],
  });
  assert.deepEqual(outcome({ ...old, child: { a: 2, b: 2 } }, old), {
    errors: ['child: Invalid value: b small'],
    warnings: ['list: Invalid value: all big'],
  });
});

test('items by keys have no order', () => {
  assert.deepEqual(outcome({ list: [two, one] }, old), { errors: [], warnings: ['list: Invalid value: all big'] });
  assert.deepEqual(outcome({ list: [two] }, old), { errors: ['list: Invalid value: all big'], warnings: [] });
});

test('a new object has nothing to keep', () => {
  assert.deepEqual(outcome(old).errors, ['child: Invalid value: b small', 'list: Invalid value: all big']);
});
