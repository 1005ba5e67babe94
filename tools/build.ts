/** Bundles a release into dist/: one module for what every start needs, others for what is loaded on demand. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { writeDescriptions } from './build-descriptions.ts';

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
writeDescriptions(join(root, 'dist', 'descriptions.json'));
