import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pauseProgram } from './program.ts';

const runsHere = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');

if (runsHere)
  test('the pause program waits until SIGTERM and exits with 0', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pause-'));
    const path = join(directory, 'pause');
    try {
      await writeFile(path, pauseProgram(process.arch === 'x64' ? 'amd64' : 'arm64'), { mode: 0o755 });
      const child = spawn(path);
      await once(child, 'spawn');
      // Until it sleeps, waiting for signals, they would still end it the ordinary way.
      while (!(await readFile(`/proc/${child.pid}/stat`, 'utf8')).includes('(pause) S'));
      // SIGCHLD makes it look for children and wait on.
      child.kill('SIGCHLD');
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

test('both architectures are whole ELF executables whose segment covers the code', () => {
  for (const [architecture, machine] of [
    ['amd64', 62],
    ['arm64', 183],
  ] as const) {
    const program = pauseProgram(architecture);
    assert.equal(program.subarray(0, 4).toString('latin1'), '\x7fELF');
    assert.equal(program.readUInt16LE(18), machine);
    assert.equal(Number(program.readBigUInt64LE(64 + 32)), program.length);
    assert.equal(program.readBigUInt64LE(program.length - 8), 0x14002n);
  }
});
