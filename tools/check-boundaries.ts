/**
 * Holds the source to its layers: imports point down, components never meet, and time, randomness and I/O come
 * from outside. There is no exemption list: a rule that needs one is the wrong rule.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');

/** What each folder of src may import. Longest prefix wins. */
const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  system: [],
  machinery: ['base'],
  cel: ['base', 'machinery'],
  kinds: ['base', 'machinery'],
  client: ['base', 'machinery', 'kinds'],
  streaming: ['base', 'machinery'],
  storage: ['base', 'machinery'],
  apiserver: ['base', 'machinery', 'cel', 'kinds', 'client', 'streaming', 'storage'],
  controllers: ['base', 'machinery', 'kinds', 'client'],
  scheduler: ['base', 'machinery', 'kinds', 'client'],
  kubelet: ['base', 'machinery', 'kinds', 'client', 'streaming', 'system'],
  network: ['base', 'machinery', 'kinds', 'client', 'system'],
  cli: ['base', 'machinery', 'kinds', 'client', 'streaming'],
  cmd: [
    'base',
    'machinery',
    'cel',
    'kinds',
    'client',
    'streaming',
    'system',
    'storage',
    'apiserver',
    'controllers',
    'scheduler',
    'kubelet',
    'network',
    'cli',
  ],
};

/** Folders that a browser can share: nothing from `node:`. */
const portable = ['base', 'machinery', 'cel', 'kinds', 'client'];
/** Parts of them that speak to a machine. */
const bound = ['client/http'];

/** Methods of the same name (a connection's `setTimeout`) are something else. */
const ambient =
  /(?<!(?<!globalThis)\.)\b(Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.now|crypto\.(getRandomValues|randomUUID)|new Date\(\))/;

const problems: string[] = [];
for (const file of globSync('src/**/*.ts', { cwd: root })) {
  const path = relative('src', file).replaceAll('\\', '/');
  const folder = path.split('/')[0]!;
  const isTest = path.endsWith('.test.ts');
  const text = readFileSync(join(root, file), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/(?:from|import\(?)\s*['"]([^'"]+)['"]/g)) {
    const reached = specifier.startsWith('#')
      ? specifier.slice(1)
      : specifier.startsWith('.')
        ? relative(join(root, 'src'), resolve(root, dirname(file), specifier))
        : undefined;
    if (reached === undefined) {
      const isBound = bound.some((prefix) => path.startsWith(`${prefix}/`));
      if (specifier.startsWith('node:') && portable.includes(folder) && !isBound && !isTest)
        problems.push(`${file}: imports ${specifier}, but ${folder}/ must run in a browser`);
      continue;
    }
    const other = reached.split('/')[0]!;
    if (other === 'testing') {
      if (!isTest) problems.push(`${file}: only tests import testing/`);
      continue;
    }
    if (other !== folder && !(layers[folder] ?? []).includes(other) && !isTest)
      problems.push(`${file}: ${folder}/ may not import ${other}/`);
  }
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
  const found = folder === 'base' ? null : ambient.exec(code);
  if (found !== null) problems.push(`${file}: ${found[0]} is ambient; take a Clock or a Random`);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
