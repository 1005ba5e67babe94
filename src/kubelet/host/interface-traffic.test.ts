import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTraffic } from './interface-traffic.ts';

test('traffic is read by interface and direction, without the loopback', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0
  eth0:2048 16 1 2 0 0 0 5 4096 32 3 4 0 0 0 0
`;
  assert.deepEqual(parseTraffic(text), [
    {
      name: 'eth0',
      received: { bytes: 2048, packets: 16, errors: 1, dropped: 2 },
      transmitted: { bytes: 4096, packets: 32, errors: 3, dropped: 4 },
    },
  ]);
});
