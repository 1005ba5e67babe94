/**
 * Holds what is written about the code to the code: every link leads somewhere, every file that a README names is
 * there, and every decision is in the list of decisions.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const ours = { cwd: root, exclude: ['node_modules/**', 'dist/**'] };
const sources = globSync('**/*.{ts,js,json,sh,yaml}', ours);
const problems: string[] = [];

for (const page of globSync('**/*.md', ours)) {
  const folder = dirname(page);
  const text = readFileSync(join(root, page), 'utf8').replace(/```.*?```/gs, '');
  for (const [, target = ''] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g))
    if (!/^[a-z]+:/.test(target) && !existsSync(join(root, folder, target))) problems.push(`${page}: no ${target}`);
  if (!page.endsWith('README.md')) continue;
  for (const [, name = ''] of text.matchAll(/`([\w./-]+\.ts)`/g))
    if (!isThere(folder, name)) problems.push(`${page}: no file ${name}`);
}

/** A README may name a file by the end of its path, where it is in its own folder or below. */
function isThere(folder: string, name: string): boolean {
  const places = [join(folder, name), name, join('src', name)];
  if (places.some((place) => existsSync(join(root, place)))) return true;
  return sources.some((path) => !relative(folder, path).startsWith('..') && path.endsWith(`/${name}`));
}

const decisions = readFileSync(join(root, 'docs/README.md'), 'utf8');
for (const decision of globSync('adr/*.md', { cwd: join(root, 'docs') }))
  if (!decisions.includes(`(${decision})`)) problems.push(`docs/README.md: does not list ${decision}`);

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
