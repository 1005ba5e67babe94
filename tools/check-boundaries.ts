/**
 * Holds the source to its layers: imports point down and in no circle, components never meet, and time, randomness and I/O come
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
  apiserver: ['base', 'machinery', 'cel', 'kinds', 'client', 'streaming', 'storage', 'system'],
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
/** What each file needs of others when it is loaded: types are gone by then. */
const needed = new Map<string, readonly string[]>();
for (const file of globSync('src/**/*.ts', { cwd: root })) {
  const path = relative('src', file).replaceAll('\\', '/');
  const folder = path.split('/')[0]!;
  const isTest = path.endsWith('.test.ts');
  const text = readFileSync(join(root, file), 'utf8');
  const valueImports = text.matchAll(/^(?:import|export) (?!type )[^;]*? from '([^']+\.ts)';/gm);
  needed.set(
    path,
    [...valueImports].flatMap(([statement, specifier = '']) =>
      /\{\s*(type \w+,?\s*)+\}/.test(statement) ? [] : (pathInSource(file, specifier) ?? []),
    ),
  );
  for (const [, specifier = ''] of text.matchAll(/(?:from|import\(?)\s*['"]([^'"]+)['"]/g)) {
    const reached = pathInSource(file, specifier);
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
for (const circle of circles()) problems.push(`src/: files need each other in a circle: ${circle.join(' → ')}`);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** What an import leads to, as a path under src; undefined for packages. */
function pathInSource(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1);
  if (!specifier.startsWith('.')) return undefined;
  return relative(join(root, 'src'), resolve(root, dirname(file), specifier)).replaceAll('\\', '/');
}

/** Each circle once, from the file where it was met first. */
function circles(): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path]);
    if (way.includes(path) || done.has(path)) return;
    for (const next of needed.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of needed.keys()) visit(path, []);
  return found;
}
