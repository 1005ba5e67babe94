import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { httpServerImage, testImages } from '../images/images.ts';
import { imageCacheDir, isRoot } from '../machine.ts';
import { hasProgram, ProaProcess, proa, run } from './proa.ts';

/** The commands that the README has its reader type under a heading. */
async function commandsUnder(heading: string): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const block = /```sh\n([\s\S]*?)```/.exec(section ?? '')?.[1];
  assert.ok(block, `README.md has commands under "${heading}"`);
  return block;
}

test('the README names every command that there is, and none that is not', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('| `proa '));
  const named = rows.flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`proa ([\w-]+)/g)].map(([, name]) => name));
  const { stdout } = await proa(['--help']);
  const listed = [...stdout.matchAll(/^ {2}([\w-]+) {2,}\S/gm)].map(([, name]) => name);
  assert.deepEqual(new Set(named), new Set(listed));
});

if (hasProgram('kubectl'))
  describe('the commands of the README', () => {
    /** All of them in one shell, which stops at the first that fails. */
    async function follow(cluster: ProaProcess, commands: string): Promise<string> {
      const { code, stdout, stderr } = await run('sh', ['-ec', commands], { env: cluster.environment });
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^\S+ +Ready /m);
      assert.match(stdout, /deployment "web" successfully rolled out/);
      assert.match(stdout, /deployment\.apps\/web scaled/);
      assert.match(stdout, /service "web" deleted/);
      return stdout;
    }

    test('work on a cluster with a simulated node', async () => {
      const cluster = await ProaProcess.start({ nodes: 0, simulatedNodes: 1 });
      try {
        await follow(cluster, await commandsUnder('Five minutes'));
        const here = ['--data-dir', cluster.dataDir];
        assert.match((await proa(['status', ...here])).stdout, /^running /);
        assert.equal((await proa(['kubeconfig', ...here])).stdout, await readFile(cluster.kubeconfig, 'utf8'));
        const nodes = await proa(['kubectl', 'get', 'nodes'], { env: cluster.environment });
        assert.match(nodes.stdout, /^simulated-1 +Ready /m, nodes.stderr);
        assert.match((await proa(['completion', 'bash'])).stdout, /complete/);
      } finally {
        await cluster.remove();
      }
    });

    if (isRoot && hasProgram('containerd'))
      test('work on a cluster with real containers', async () => {
        const cluster = await ProaProcess.start({ nodes: 1, network: 210 });
        try {
          const archive = await httpServerImage(imageCacheDir);
          assert.equal((await proa(['image', 'load', archive, '--data-dir', cluster.dataDir])).code, 0);
          assert.match((await proa(['image', 'list', '--data-dir', cluster.dataDir])).stdout, /http-server/);
          const commands = await commandsUnder('Five minutes');
          // Nothing is pulled in a test: another image stands in for the one that the README takes from a registry.
          const local = commands
            .replace(/--image=\S+/, `--image=${testImages.httpServer}`)
            .replace(/ -- \/agnhost.*/, '');
          assert.notEqual(local, commands);
          assert.match(await follow(cluster, local), /^web-\S+ +1\/1 +Running .* 10\.210\.0\.\d+ /m);
        } finally {
          await cluster.remove();
        }
      });
  });
