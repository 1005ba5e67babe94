import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Json } from '#machinery/meta.ts';
import fc from '#testing/properties.ts';
import { withDefaults } from './defaults.ts';
import { structuralNode } from './node.ts';
import { prune } from './prune.ts';
import { validateValue } from './validate.ts';

const text: JSONSchemaProps = { type: 'string' };
const whole: JSONSchemaProps = { type: 'integer' };

/** Of one field `v`: its schema, a value, and what the official server answers. */
const refusals: readonly (readonly [JSONSchemaProps, Json, string])[] = [
  [whole, 'a', 'v: Invalid value: "string": v in body must be of type integer: "string"'],
  [text, null, 'v: Invalid value: "null": v in body must be of type string: "null"'],
  [{ ...text, enum: ['b', 'a'] }, 'c', 'v: Unsupported value: "c": supported values: "b", "a"'],
  [{ ...text, maxLength: 3 }, 'abcd', 'v: Too long: may not be more than 3 bytes'],
  [{ ...text, minLength: 2 }, 'a', 'v: Invalid value: "a": v in body should be at least 2 chars long'],
  [{ ...text, pattern: '^[a-z]+$' }, 'A1', `v: Invalid value: "A1": v in body should match '^[a-z]+$'`],
  [{ ...whole, minimum: 2 }, 1, 'v: Invalid value: 1: v in body should be greater than or equal to 2'],
  [{ ...whole, maximum: 5, exclusiveMaximum: true }, 5, 'v: Invalid value: 5: v in body should be less than 5'],
  [{ ...whole, multipleOf: 3 }, 4, 'v: Invalid value: 4: v in body should be a multiple of 3'],
  [
    { ...whole, format: 'int32' },
    3e9,
    '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in v',
  ],
  [{ ...text, format: 'ipv4' }, '1.2.3', 'v: Invalid value: "1.2.3": v in body must be of type ipv4: "1.2.3"'],
  [{ type: 'array', maxItems: 1, items: text as never }, ['a', 'b'], 'v: Too many: 2: must have at most 1 item'],
  [
    { type: 'array', minItems: 1, items: text as never },
    [],
    'v: Invalid value: 0: v in body should have at least 1 items',
  ],
  [
    { type: 'array', items: whole as never },
    [1, 'x'],
    'v[1]: Invalid value: "string": v[1] in body must be of type integer: "string"',
  ],
  [
    { type: 'object', additionalProperties: whole as never },
    { k: true },
    'v.k: Invalid value: "boolean": v.k in body must be of type integer: "boolean"',
  ],
  [{ type: 'object', required: ['a'] }, {}, 'v.a: Required value'],
  [
    { 'x-kubernetes-int-or-string': true },
    true,
    'v: Invalid value: "boolean": v in body must be of type integer,string: "boolean"',
  ],
  [
    { type: 'object', oneOf: [{ required: ['x'] }, { required: ['y'] }] },
    { x: 1, y: 1 },
    '<nil>: Invalid value: "": "v" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [{ ...whole, not: { enum: [7] } }, 7, '<nil>: Invalid value: "": "v" must not validate the schema (not)'],
];

for (const [schema, value, message] of refusals) {
  test(`${JSON.stringify(schema)} refuses ${JSON.stringify(value)} in the official server's words`, () => {
    const root: JSONSchemaProps = { type: 'object', properties: { v: schema } };
    const found = validateValue({ v: value }, root).map(({ path, message: what }) => `${path}: ${what}`);
    assert.deepEqual(found, [message]);
  });
}

test('what was wrong before and has not changed is let be, also in lists whose items have keys', () => {
  const item: JSONSchemaProps = { type: 'object', properties: { k: text, n: { ...whole, maximum: 5 } } };
  const schema: JSONSchemaProps = {
    type: 'object',
    properties: {
      kept: { ...text, maxLength: 1 },
      items: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: item as never,
      },
    },
  };
  const old = { kept: 'long', items: [{ k: 'a', n: 9 }] };
  const errorsOf = (value: Json) => validateValue(value, schema, '', { value: old }).map(({ path }) => path);
  assert.deepEqual(
    errorsOf({
      kept: 'long',
      items: [
        { k: 'b', n: 1 },
        { k: 'a', n: 9 },
      ],
    }),
    [],
  );
  assert.deepEqual(errorsOf({ kept: 'longer', items: [{ k: 'a', n: 8 }] }), ['kept', 'items[0].n']);
});

const schema = structuralNode({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      default: {},
      properties: {
        size: { ...whole, default: 1 },
        note: { ...text, nullable: true, default: 'none' },
        plain: text,
        open: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { known: { type: 'object' } },
        },
        inner: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
        list: { type: 'array', items: { type: 'object', properties: { a: { ...text, default: 'x' } } } as never },
      },
    },
  },
});

test('fields that the schema does not have are dropped and named, in the order of their names', () => {
  const object = {
    apiVersion: 'a/v1',
    kind: 'K',
    metadata: { name: 'n', junk: 1 },
    zebra: 1,
    spec: {
      size: 2,
      extra: { deep: 1 },
      open: { any: { thing: 1 }, known: { gone: 1 } },
      inner: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, status: {} },
      list: [{ a: 'y', b: 1 }],
    },
  };
  const { value, unknown } = prune(object, schema);
  assert.deepEqual(unknown, [
    'spec.extra',
    'spec.inner.status',
    'spec.list[0].b',
    'spec.open.known.gone',
    'zebra',
    'metadata.junk',
  ]);
  assert.deepEqual(value, {
    apiVersion: 'a/v1',
    kind: 'K',
    metadata: { name: 'n' },
    spec: {
      size: 2,
      open: { any: { thing: 1 }, known: {} },
      inner: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } },
      list: [{ a: 'y' }],
    },
  });
});

test('defaults stand in for what is absent, and for null where null may not be; other such nulls are dropped', () => {
  assert.deepEqual(withDefaults({}, schema), { spec: { size: 1, note: 'none' } });
  const nulls = { spec: { size: null, note: null, plain: null, list: [{}] } };
  assert.deepEqual(withDefaults(prune(nulls, schema).value, schema), {
    spec: { size: 1, note: null, list: [{ a: 'x' }] },
  });
  assert.deepEqual(prune(nulls, schema, { keepsNulls: true }).value, nulls);
});

test('pruning and defaulting twice is the same as once, and never touches what came in', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (spec) => {
      const object = { apiVersion: 'a/v1', kind: 'K', metadata: { name: 'n' }, spec } as Json;
      const before = JSON.stringify(object);
      const once = withDefaults(prune(object, schema).value, schema);
      assert.deepEqual(withDefaults(prune(once, schema).value, schema), once);
      assert.equal(JSON.stringify(object), before);
    }),
    { numRuns: 300 },
  );
});
