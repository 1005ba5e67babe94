import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaNamed } from '#kinds/schemas.ts';
import { dropExplicitNulls, withExplicitNulls } from './explicit-nulls.ts';

test('lists and times that are always written are null where there are none', () => {
  const schema = schemaNamed('core.v1.Event');
  const event = { type: 'Normal', eventTime: '2026-01-01T00:00:00.000000Z' };
  const written = withExplicitNulls(event, schema);
  assert.deepEqual(written, { ...event, firstTimestamp: null, lastTimestamp: null });
  dropExplicitNulls(written, schema);
  assert.deepEqual(written, event);
});

test('what is inside of lists is written so, too, and what needs nothing is not copied', () => {
  const schema = schemaNamed('core.v1.Pod');
  const spec = { containers: [{ name: 'a' }] };
  const pod = { spec, status: { conditions: [{ type: 'Ready', lastTransitionTime: '2026-01-01T00:00:00Z' }] } };
  const written = withExplicitNulls(pod, schema);
  assert.equal(written.spec, spec);
  assert.deepEqual(written.status.conditions, [{ ...pod.status.conditions[0], lastProbeTime: null }]);
  const plain = { spec };
  assert.equal(withExplicitNulls(plain, schema), plain);
});
