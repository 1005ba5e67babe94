import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '#base/metrics.ts';
import { VirtualClock } from '#base/virtual-clock.ts';
import { formatTime } from '#machinery/time.ts';
import { RoutingMetrics } from './metrics.ts';

test('changes count until they are in force, and how long that took is told from when they happened', async () => {
  const clock = new VirtualClock();
  const page = new Metrics();
  const metrics = new RoutingMetrics(page, clock);
  const sliceOf = (atMs: number) => ({
    metadata: { annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': formatTime(atMs) } },
    addressType: 'IPv4',
    endpoints: [],
  });
  const told = (name: string): number =>
    Number(new RegExp(`^kubeproxy_${name}(?:\\{ip_family="IPv4"\\})? (\\S+)$`, 'm').exec(page.render())?.[1]);
  const first = sliceOf(clock.now());
  metrics.serviceChanged();
  metrics.endpointsChanged(undefined, first);
  assert.equal(told('sync_proxy_rules_endpoint_changes_pending'), 1);
  await metrics.sync('full', () => clock.advance(2_000));
  assert.equal(told('sync_proxy_rules_endpoint_changes_pending'), 0);
  const changed = sliceOf(clock.now());
  await clock.advance(1_000);
  metrics.endpointsChanged(first, changed);
  metrics.endpointsChanged(changed, changed);
  await assert.rejects(metrics.sync('partial', () => Promise.reject(new Error('no such table'))));
  metrics.endpointsChanged(changed, sliceOf(clock.now()));
  await metrics.sync('partial', () => clock.advance(500));
  assert.deepEqual(
    [
      'sync_proxy_rules_service_changes_total',
      'sync_proxy_rules_endpoint_changes_total',
      'sync_full_proxy_rules_duration_seconds_sum',
      'sync_partial_proxy_rules_duration_seconds_count',
      'sync_proxy_rules_nftables_sync_failures_total',
      'network_programming_duration_seconds_count',
      'network_programming_duration_seconds_sum',
    ].map(told),
    [1, 4, 2, 2, 1, 2, 2],
  );
});
