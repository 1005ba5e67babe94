import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHttpCluster } from '../http-cluster.ts';

test('administrators get profiles of the server, in the forms that developer tools open', async () => {
  const cluster = await startHttpCluster();
  try {
    const cpu = await cluster.kubectl(['get', '--raw', '/debug/pprof/profile?seconds=0.2']);
    assert.ok(JSON.parse(cpu.stdout).nodes.length > 0);
    const heap = await cluster.kubectl(['get', '--raw', '/debug/pprof/heap']);
    assert.ok(JSON.parse(heap.stdout).snapshot.node_count > 0);
    const refused = await cluster.kubectl(['get', '--raw', '/debug/pprof/heap', '--as', 'somebody']);
    assert.match(refused.stderr, /forbidden/);
    const wrong = await cluster.kubectl(['get', '--raw', '/debug/pprof/profile?seconds=-1']);
    assert.match(wrong.stderr, /seconds must be between/);
  } finally {
    await cluster.stop();
  }
});
