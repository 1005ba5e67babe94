import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodStatus } from '#kinds/generated/types/core_v1.ts';
import fc from '#testing/properties.ts';
import { same, statusPatch } from './status-patch.ts';

const condition = fc.record(
  {
    type: fc.constantFrom('Ready', 'Initialized', 'ContainersReady'),
    status: fc.constantFrom('True', 'False'),
    reason: fc.constantFrom('A', 'B'),
  },
  { requiredKeys: ['type', 'status'] },
);
const status: fc.Arbitrary<PodStatus> = fc.record(
  {
    phase: fc.constantFrom('Pending', 'Running'),
    message: fc.string(),
    podIPs: fc.uniqueArray(fc.record({ ip: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1') }), {
      selector: ({ ip }) => ip,
    }),
    conditions: fc.uniqueArray(condition, { selector: ({ type }) => type }),
  },
  { requiredKeys: [] },
);

/** What a strategic merge patch does to the lists of a pod's status. */
function merged(from: PodStatus, patch: Record<string, unknown> | undefined): Record<string, unknown> {
  const result: Record<string, unknown> = { ...from };
  for (const [field, value] of Object.entries(patch ?? {})) {
    const key = field === 'conditions' ? 'type' : field.endsWith('IPs') ? 'ip' : undefined;
    if (key === undefined) {
      result[field] = value;
      continue;
    }
    const items = [...((result[field] ?? []) as Record<string, unknown>[])];
    for (const change of value as Record<string, unknown>[]) {
      const index = items.findIndex((item) => item[key] === change[key]);
      if (change['$patch'] === 'delete') items.splice(index, 1);
      else if (index < 0) items.push(change);
      else items[index] = { ...items[index], ...change };
    }
    result[field] = items;
  }
  return result;
}

const sorted = (list: unknown, key: string) =>
  [...((list ?? []) as Record<string, unknown>[])].sort((left, right) =>
    String(left[key]) < String(right[key]) ? -1 : 1,
  );

test('a patch turns one status into the other, and there is none between equal ones', () => {
  fc.assert(
    fc.property(status, status, (from, to) => {
      const result = merged(from, statusPatch(from, to));
      assert.ok(same(sorted(result['conditions'], 'type'), sorted(to.conditions, 'type')));
      assert.ok(same(sorted(result['podIPs'], 'ip'), sorted(to.podIPs, 'ip')));
      assert.ok(same(result['phase'], to.phase));
      assert.equal(statusPatch(to, to), undefined);
    }),
  );
});

test('conditions of others and fields that others write are never sent', () => {
  const from: PodStatus = { conditions: [{ type: 'demo.dev/gate', status: 'True' }], nominatedNodeName: 'n' };
  assert.equal(statusPatch(from, {}), undefined);
});
