import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import fc from '#testing/properties.ts';
import { endpointsPerSlice, packSlices, type SliceChanges } from './packing.ts';

const ports = [{ name: '', port: 80, protocol: 'TCP' }];
const endpoint = (number: number): Endpoint => ({ addresses: [`10.0.${number >> 8}.${number & 255}`] });

function apply(existing: readonly EndpointSlice[], changes: SliceChanges): readonly EndpointSlice[] {
  const kept = existing
    .filter((slice) => !changes.delete.includes(slice))
    .map((slice) => ({ ...slice, ...changes.update.find((update) => update.slice === slice) }));
  const made = changes.create.map((group) => ({ metadata: {}, addressType: 'IPv4', ...group }));
  return [...kept, ...made];
}

const numbers = fc.uniqueArray(fc.nat(600), { maxLength: 400 });

test('slices hold exactly what is wanted, never too much each, and settle after one round', () => {
  fc.assert(
    fc.property(numbers, numbers, (before, after) => {
      const first = apply([], packSlices([], [{ ports, endpoints: before.map(endpoint) }]));
      const wanted = [{ ports, endpoints: after.map(endpoint) }];
      const second = apply(first, packSlices(first, wanted));
      const held = second.flatMap(({ endpoints = [] }) => endpoints.map(({ addresses }) => addresses[0]));
      assert.deepEqual(held.sort(), after.map((number) => endpoint(number).addresses[0]).sort());
      assert.ok(second.every(({ endpoints = [] }) => endpoints.length <= endpointsPerSlice));
      assert.ok(second.length >= 1);
      assert.deepEqual(packSlices(second, wanted), { create: [], update: [], delete: [] });
    }),
    { numRuns: 50 },
  );
});

test('one more endpoint changes one slice', () => {
  const endpoints = Array.from({ length: 250 }, (_, number) => endpoint(number));
  const slices = apply([], packSlices([], [{ ports, endpoints }]));
  const changes = packSlices(slices, [{ ports, endpoints: [...endpoints, endpoint(999)] }]);
  assert.equal(changes.update.length, 1);
  assert.equal(changes.create.length + changes.delete.length, 0);
});
