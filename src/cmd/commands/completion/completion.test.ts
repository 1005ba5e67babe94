import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const program = join(import.meta.dirname, '..', '..', 'proa.ts');

/** What bash offers after these words, with the script that `proa completion bash` prints. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `
    proa() { "${process.execPath}" "${program}" "$@"; }
    source <(proa completion bash)
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    __proa_complete
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  return output.trim().split('\n');
}

test('bash completes commands, their flags and words, and kubectl', () => {
  assert.deepEqual(offered('proa', 'st'), ['status']);
  assert.deepEqual(offered('proa', 'up', '--simulated'), ['--simulated-nodes']);
  assert.deepEqual(offered('proa', 'image', 'l'), ['load', 'list']);
  assert.deepEqual(offered('proa', 'kubectl', 'rollo'), ['rollout']);
});
