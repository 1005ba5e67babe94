import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '#kinds/generated/types/apps_v1.ts';
import fc from '#testing/properties.ts';
import { maxSurge, maxUnavailable, newSetSize, proportionalSizes } from './proportions.ts';

function rolling(replicas: number, surge: number | string, unavailable: number | string): Deployment {
  return {
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: {},
      template: {},
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
    },
  };
}

test('percentages of surge round up and of unavailability down', () => {
  assert.equal(maxSurge(rolling(10, '25%', '25%')), 3);
  assert.equal(maxUnavailable(rolling(10, '25%', '25%')), 2);
});

test('a rollout that may neither surge nor lose a pod may lose one', () => {
  assert.equal(maxUnavailable(rolling(3, 0, '10%')), 1);
});

test('the new set grows into what surge leaves', () => {
  assert.equal(newSetSize(rolling(10, 3, 2), 0, 10), 3);
  assert.equal(newSetSize(rolling(10, 3, 2), 5, 8), 10);
  assert.equal(newSetSize(rolling(10, 3, 2), 3, 13), 3);
});

test('scaling in the middle of a rollout keeps the balance between sets', () => {
  // The example of the Deployment documentation: 8 old and 5 new of 10 + 3, scaled to 15.
  const sizes = proportionalSizes(
    [
      { replicas: 8, maxReplicasBefore: 13 },
      { replicas: 5, maxReplicasBefore: 13 },
    ],
    15,
    3,
  );
  assert.deepEqual(sizes, [11, 7]);
});

test('proportional sizes add up to replicas plus surge and are never negative', () => {
  const sizesBefore = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sizesBefore, fc.nat(60), fc.nat(10), (before, replicas, surge) => {
      before.sort((left, right) => right - left);
      const maxReplicasBefore = before.reduce((sum, size) => sum + size, 0);
      const shares = before.map((size) => ({ replicas: size, maxReplicasBefore }));
      const sizes = proportionalSizes(shares, replicas, surge);
      assert.ok(sizes.every((size) => size >= 0));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assert.equal(total, replicas === 0 ? 0 : replicas + surge);
    }),
  );
});
