import assert from 'node:assert/strict';
import { test } from 'node:test';
import { separateDevices, unifiedDevices } from './devices.ts';

test('both layouts of cgroups tell the same of a device', () => {
  const wanted = [{ device: '254:0', readBytes: 4096, reads: 3, writtenBytes: 8192, writes: 2 }];
  const unified = '254:0 rbytes=4096 wbytes=8192 rios=3 wios=2 dbytes=0 dios=0\n7:0 \n';
  assert.deepEqual(unifiedDevices(unified).slice(0, 1), wanted);
  const bytes = '254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 12288\nTotal 12288\n';
  assert.deepEqual(separateDevices(bytes, '254:0 Read 3\n254:0 Write 2\nTotal 5\n'), wanted);
  assert.deepEqual([unifiedDevices(''), separateDevices('Total 0\n', 'Total 0\n')], [[], []]);
});
