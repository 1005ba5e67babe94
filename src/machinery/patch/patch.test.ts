import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaNamed } from '#kinds/schemas.ts';
import fc from '#testing/properties.ts';
import { ApiError } from '../errors.ts';
import type { Json, JsonObject } from '../meta.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch, createMergePatch, createThreeWayMergePatch } from './merge-patch.ts';
import { createStrategicPatch, createThreeWayStrategicPatch } from './strategic-diff.ts';
import { applyStrategicPatch } from './strategic-patch.ts';

const podSpec = schemaNamed('core.v1.PodSpec');
const deploymentSpec = schemaNamed('apps.v1.DeploymentSpec');

test('JSON patches do what RFC 6902 says and leave the original alone', () => {
  const original = { a: [1, 2, 3], b: { c: 'x', 'd/e~f': 1 } };
  const before = structuredClone(original);
  const result = applyJsonPatch(original, [
    { op: 'test', path: '/b/d~1e~0f', value: 1 },
    { op: 'add', path: '/a/1', value: 9 },
    { op: 'add', path: '/a/-', value: 4 },
    { op: 'remove', path: '/a/-1' },
    { op: 'move', from: '/b/c', path: '/z' },
    { op: 'copy', from: '/b', path: '/copy' },
    { op: 'replace', path: '/copy/new', value: null },
    { op: 'add', path: '/__proto__', value: { polluted: true } },
  ]);
  assert.equal(
    JSON.stringify(result),
    '{"a":[1,9,2,3],"b":{"d/e~f":1},"z":"x","copy":{"d/e~f":1,"new":null},"__proto__":{"polluted":true}}',
  );
  assert.deepEqual(original, before);
});

test('JSON patches that do not fit fail in upstream words', () => {
  const fails = (step: object, code: number, message: string) =>
    assert.throws(
      () => applyJsonPatch({ a: [1] }, [step]),
      (error) => error instanceof ApiError && error.code === code && error.message === message,
    );
  fails(
    { op: 'remove', path: '/b' },
    422,
    "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
  );
  fails(
    { op: 'add', path: '/b/c', value: 1 },
    422,
    'add operation does not apply: doc is missing path: "/b/c": missing value',
  );
  fails({ op: 'test', path: '/a/0', value: 2 }, 422, 'testing value /a/0 failed: test failed');
  fails({ op: 'grow', path: '/a' }, 422, 'Unexpected kind: grow');
  fails(
    { op: 'add', path: '/a/3', value: 1 },
    422,
    "error in add for path: '/a/3': Unable to access invalid index: 3: invalid index referenced",
  );
});

const scalar = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.boolean());
const tree: fc.Arbitrary<JsonObject> = fc.letrec((tie) => ({
  object: fc.dictionary(
    fc.string({ maxLength: 2 }),
    fc.oneof({ maxDepth: 3 }, scalar, tie('object'), fc.array(scalar, { maxLength: 3 })),
    { maxKeys: 4, noNullPrototype: true },
  ),
})).object as fc.Arbitrary<JsonObject>;

test('a merge patch between two objects turns one into the other', () => {
  fc.assert(
    fc.property(tree, tree, (left, right) => {
      assert.deepEqual(applyMergePatch(left, createMergePatch(left, right)), right);
    }),
  );
});

test('null in a list of a merge patch is nothing in its objects, and stays as an item', () => {
  const patch = { list: [{ gone: null, kept: [{ gone: null }, null] }, null] };
  const expected = { list: [{ kept: [{}, null] }, null] };
  assert.deepEqual(applyMergePatch({ list: [1] }, patch), expected);
  assert.deepEqual(applyMergePatch({}, patch), expected);
  assert.deepEqual(applyMergePatch({ list: {} }, patch), patch, 'in the place of an object it is as it came');
});

test('a three-way merge patch deletes only what the last manifest had', () => {
  const patch = createThreeWayMergePatch(
    { a: 1, gone: { x: 1, y: 2 } },
    { a: 2, gone: { x: 1 } },
    { a: 1, gone: { x: 1, y: 2 }, live: 3 },
  );
  assert.deepEqual(patch, { a: 2, gone: { y: null } });
});

const name = fc.constantFrom('a', 'b', 'c', 'd');
const container = fc.record({
  name,
  image: fc.constantFrom('x', 'y'),
  env: fc.uniqueArray(fc.record({ name, value: fc.constantFrom('1', '2') }), {
    selector: (item) => item.name,
    maxLength: 3,
  }),
  command: fc.array(fc.constantFrom('run', 'stop'), { maxLength: 2 }),
});
const spec = fc
  .record(
    {
      containers: fc.uniqueArray(container, { selector: (item) => item.name, minLength: 1, maxLength: 3 }),
      nodeName: name,
      nodeSelector: fc.dictionary(name, name, { maxKeys: 2, noNullPrototype: true }),
      volumes: fc.uniqueArray(
        fc.oneof(
          fc.record({ name, emptyDir: fc.constant({}) }),
          fc.record({ name, secret: fc.record({ secretName: name }) }),
        ),
        { selector: (item) => item.name, maxLength: 3 },
      ),
    },
    { requiredKeys: ['containers'], noNullPrototype: true },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

test('a strategic merge patch between two pod specs turns one into the other, order included', () => {
  fc.assert(
    fc.property(spec, spec, (left, right) => {
      const patch = createStrategicPatch(left, right, podSpec);
      const result = applyStrategicPatch(left, patch, podSpec);
      assert.deepEqual(result, right);
    }),
  );
});

test('a strategic merge patch keeps what others added', () => {
  const last: JsonObject = {
    containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 80 }] }],
    volumes: [{ name: 'v', emptyDir: {} }],
  };
  const next: JsonObject = { containers: [{ name: 'a', image: 'y', ports: [{ containerPort: 80 }] }] };
  const live: JsonObject = {
    containers: [
      { name: 'side', image: 's' },
      { name: 'a', image: 'x', ports: [{ containerPort: 80, protocol: 'TCP' }] },
    ],
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'token', projected: {} },
    ],
    nodeName: 'n',
  };
  const patch = createThreeWayStrategicPatch(last, next, live, podSpec);
  assert.deepEqual(patch, {
    volumes: null,
    containers: [{ name: 'a', image: 'y' }],
    '$setElementOrder/containers': [{ name: 'a' }],
  } satisfies Record<string, Json>);
  const withVolume: JsonObject = { ...next, volumes: [] };
  const second = createThreeWayStrategicPatch(last, withVolume, live, podSpec);
  assert.deepEqual(applyStrategicPatch(live, second, podSpec), {
    containers: [
      { name: 'side', image: 's' },
      { name: 'a', image: 'y', ports: [{ containerPort: 80, protocol: 'TCP' }] },
    ],
    volumes: [{ name: 'token', projected: {} }],
    nodeName: 'n',
  });
});

test('directives are obeyed', () => {
  const live: JsonObject = {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    template: { metadata: { finalizers: ['a', 'b'] }, spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
  };
  const patched = applyStrategicPatch(
    live,
    {
      strategy: { $retainKeys: ['type'], type: 'Recreate' },
      template: {
        metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] },
        spec: {
          containers: [
            { name: 'a', $patch: 'delete' },
            { name: 'c', image: 'x' },
          ],
        },
      },
    },
    deploymentSpec,
  );
  assert.deepEqual(patched, {
    strategy: { type: 'Recreate' },
    template: { metadata: { finalizers: ['b'] }, spec: { containers: [{ name: 'c', image: 'x' }, { name: 'b' }] } },
  });
  const replaced = applyStrategicPatch(
    live,
    { template: { spec: { containers: [{ $patch: 'replace' }, { name: 'z' }] } } },
    deploymentSpec,
  );
  assert.deepEqual((replaced as { template: { spec: unknown } }).template.spec, { containers: [{ name: 'z' }] });
  assert.throws(
    () => applyStrategicPatch(live, { template: { spec: { containers: [{ image: 'x' }] } } }, deploymentSpec),
    {
      message: 'map: map[image:x] does not contain declared merge key: name',
    },
  );
});
