import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { conform } from '#machinery/conform.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { podCells } from './core/pod/cells.ts';
import columns from './generated/columns.json' with { type: 'json' };
import type { Pod } from './generated/types/core_v1.ts';
import { resourceRows } from './resources.ts';
import { rulesFor } from './rules.ts';

const now = Date.UTC(2026, 0, 1);

test('every table with columns has as many cells, for full and for empty objects', () => {
  for (const [path, list] of Object.entries(columns)) {
    const row = resourceRows.find(({ group, version, resource }) => {
      return path === `${group === '' ? '' : `${group}/`}${version}/${resource}`;
    });
    assert.ok(row, path);
    const { cells } = rulesFor(row);
    assert.ok(cells, `${path} has no cells`);
    const empty = conform({ metadata: { name: 'a' }, spec: {} }, row.schema).value as unknown as ApiObject;
    // Upstream tells the age of an address without a column for it.
    const extra = path === 'networking.k8s.io/v1/ipaddresses' ? 1 : 0;
    assert.equal(cells(empty, now).length, list.length + extra, path);
    const file = new URL(
      `../../testing/golden/${row.group || 'core'}.${row.version}.${row.kind}.json`,
      import.meta.url,
    );
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      continue;
    }
    const full = cells(conform(JSON.parse(text), row.schema).value as unknown as ApiObject, now);
    assert.ok(
      full.every((cell) => cell !== undefined && !String(cell).includes('undefined')),
      `${path}: ${full}`,
    );
  }
});

function status(containers: readonly object[], more: object = {}, spec: object = {}): readonly unknown[] {
  const pod = {
    metadata: { name: 'a', creationTimestamp: '2025-12-31T23:00:00Z', ...(more as { metadata?: object }).metadata },
    spec: { containers: containers.map((_, index) => ({ name: `c${index}` })), ...spec },
    status: { phase: 'Running', containerStatuses: containers, ...(more as { status?: object }).status },
  };
  return podCells(pod as unknown as Pod, now).slice(1, 4);
}

test('the status of a pod is the reason people search for', () => {
  const running = { ready: true, restartCount: 0, state: { running: {} } };
  const crashing = {
    ready: false,
    restartCount: 3,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 1, finishedAt: '2025-12-31T23:55:00Z' } },
  };
  const done = { ready: false, restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } };
  assert.deepEqual(status([running]), ['1/1', 'Running', '0']);
  assert.deepEqual(status([crashing]), ['0/1', 'CrashLoopBackOff', '3 (5m ago)']);
  assert.deepEqual(status([running, done]), ['1/2', 'NotReady', '0']);
  assert.deepEqual(status([done]), ['0/1', 'Completed', '0']);
  assert.deepEqual(status([running], { metadata: { deletionTimestamp: 'x' } }), ['1/1', 'Terminating', '0']);
  const waiting = { name: 'i1', restartCount: 1, ready: false, state: { waiting: { reason: 'PodInitializing' } } };
  const first = { name: 'i0', restartCount: 0, ready: true, state: { terminated: { exitCode: 0 } } };
  const init = { initContainers: [{ name: 'i0' }, { name: 'i1' }] };
  assert.deepEqual(
    status(
      [{ ready: false, restartCount: 0, state: {} }],
      { status: { phase: 'Pending', initContainerStatuses: [first, waiting] } },
      init,
    ),
    ['0/1', 'Init:1/2', '1'],
  );
  const sidecar = { initContainers: [{ name: 'i0', restartPolicy: 'Always' }] };
  assert.deepEqual(
    status(
      [running],
      {
        status: {
          initContainerStatuses: [{ name: 'i0', started: true, ready: true, restartCount: 2, state: { running: {} } }],
        },
      },
      sidecar,
    ),
    ['2/2', 'Running', '2'],
  );
});
