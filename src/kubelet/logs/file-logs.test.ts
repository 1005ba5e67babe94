import assert from 'node:assert/strict';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { temporaryDirectory } from '#testing/machine.ts';
import type { LogOptions } from '../host/host.ts';
import { fileLogs } from './file-logs.ts';

const logs = fileLogs(systemClock({ keepAlive: true }));
const all: LogOptions = {
  follow: false,
  timestamps: false,
  sinceMs: undefined,
  tailLines: undefined,
  limitBytes: undefined,
  stream: 'all',
};
const signal = new AbortController().signal;
const at = (second: number) => `2026-01-01T00:00:0${second}.000000001Z`;

async function read(path: string, options: Partial<LogOptions> = {}, isRunning = () => false): Promise<string> {
  let text = '';
  const target = { containerId: 'id', path, isRunning };
  for await (const bytes of logs.read(target, { ...all, ...options }, signal)) text += Buffer.from(bytes).toString();
  return text;
}

test('partial records are joined, and options choose lines', async (t) => {
  const path = join(await temporaryDirectory(t), '0.log');
  await writeFile(
    path,
    `${at(1)} stdout F one\n${at(2)} stdout P tw\n${at(3)} stdout F o\n${at(4)} stderr F three\n${at(5)} stdout F \n`,
  );
  assert.equal(await read(path), 'one\ntwo\nthree\n\n');
  assert.equal(await read(path, { timestamps: true, tailLines: 2 }), `${at(4)} three\n${at(5)} \n`);
  assert.equal(await read(path, { sinceMs: Date.parse('2026-01-01T00:00:04Z') }), 'three\n\n');
  assert.equal(await read(path, { stream: 'stderr' }), 'three\n');
  assert.equal(await read(path, { limitBytes: 5 }), 'one\nt');
  assert.equal(await read(path, { tailLines: 0 }), '');
  assert.equal(await logs.tail(path, { lines: 2, bytes: 100 }), 'three\n\n');
});

test('following goes on in the file that a rotation puts in place, until the container ends', async (t) => {
  const path = join(await temporaryDirectory(t), '0.log');
  await writeFile(path, `${at(1)} stdout F one\n`);
  let isRunning = true;
  const target = { containerId: 'id', path, isRunning: () => isRunning };
  const lines = logs.read(target, { ...all, follow: true }, signal)[Symbol.asyncIterator]();
  const next = async () => Buffer.from((await lines.next()).value ?? []).toString();
  assert.equal(await next(), 'one\n');
  const second = next();
  await rename(path, `${path}.1`);
  await appendFile(`${path}.1`, `${at(2)} stdout F two\n`);
  await writeFile(path, `${at(3)} stdout F three\n`);
  assert.equal(await second, 'two\n');
  isRunning = false;
  assert.equal(await next(), 'three\n');
  assert.equal((await lines.next()).done, true);
});
