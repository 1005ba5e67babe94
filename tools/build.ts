/** Bundles a release into dist/: one module for what every start needs, others for what is loaded on demand. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { writeDescriptions } from './build-descriptions.ts';
import { writeStartProgram } from './build-start-program.ts';

const root = join(import.meta.dirname, '..');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'] as string[],
  format: 'esm',
  outdir: 'dist',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  // Packages in CommonJS ask for `require`, which modules do not have.
  banner: {
    js: "import { createRequire as proaCreateRequire } from 'node:module'; const require = proaCreateRequire(import.meta.url);",
  },
} as const;
await build({ ...common, entryPoints: { proa: 'src/cmd/proa.ts' }, splitting: true, chunkNames: 'chunk-[hash]' });
await build({ ...common, entryPoints: { 'sqlite-writer': 'src/storage/sqlite/writer.ts' } });
await writeStartProgram(root);
escapeBeyondAscii(join(root, 'dist'));
writeDescriptions(join(root, 'dist', 'descriptions.json'));

/** One character beyond Latin-1 in a regular expression, and V8 keeps the whole text in two bytes a character. */
function escapeBeyondAscii(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    const escaped = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    if (escaped !== text) writeFileSync(file, escaped);
  }
}
