import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs a file of tests in a network namespace of its own: nothing that they set up can be seen outside, and all of it
 * ends with them.
 */
export async function runInNamespace(path: string): Promise<void> {
  const child = spawn('unshare', ['--net', process.execPath, '--test', '--test-isolation=none', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, output);
}
