/**
 * Writes dist/start.cjs, of which `proa up` takes a snapshot (docs/adr/start-snapshot.md), and dist/release, which names what
 * it was made of.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build, transform } from 'esbuild';

const builtIn = new Set([...builtinModules, 'sqlite']);

/**
 * Node cannot keep its modules for sockets, cryptography and the like in a snapshot, nor a TextDecoder: they are taken when
 * they are first used, which is after the start.
 */
const prelude = `
const modules = new Map();
const later = (name) => {
  let module = modules.get(name);
  if (module === undefined) {
    let loaded;
    const load = () => (loaded ??= require('node:' + name));
    module = new Proxy({}, {
      get: (_, key) => (key === '__esModule' ? undefined : key === 'default' ? load() : load()[key]),
      has: (_, key) => key in load(),
    });
    modules.set(name, module);
  }
  return module;
};
const Decoder = TextDecoder;
globalThis.TextDecoder = class {
  #options;
  #decoder;
  constructor(...options) { this.#options = options; }
  decode(...args) { return (this.#decoder ??= new Decoder(...this.#options)).decode(...args); }
};
const here = {
  get dirname() { return require('node:path').join(process.argv[1], '../../dist'); },
  get url() { return require('node:url').pathToFileURL(this.dirname + '/start.cjs').href; },
};
`;

export async function writeStartProgram(root: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    format: 'cjs',
    entryPoints: ['src/cmd/start-snapshot/program.ts'],
    define: { 'import.meta.url': 'here.url', 'import.meta.dirname': 'here.dirname' },
    legalComments: 'none',
  });
  const whole = `(() => {${prelude}${withLaterBuiltIns(outputFiles[0]!.text)}})();`;
  const { code } = await transform(whole, { minify: true, target: 'node24', legalComments: 'none' });
  writeFileSync(join(root, 'dist', 'start.cjs'), code);
  writeFileSync(join(root, 'dist', 'release'), `${createHash('sha256').update(code).digest('hex').slice(0, 32)}\n`);
}

/** Wherever a module of Node's is asked for; `import()` has no meaning in a snapshot. */
function withLaterBuiltIns(text: string): string {
  const named = '\\("(?:node:)?([a-z0-9_/]+)"\\)';
  const required = `require${named}`;
  const replace = (whole: string, name: string): string => (builtIn.has(name) ? `later("${name}")` : whole);
  return text
    .replace(new RegExp(`__toESM\\(${required}(?:, 1)?\\)`, 'g'), replace)
    .replace(new RegExp(required, 'g'), replace)
    .replace(new RegExp(`import${named}`, 'g'), (whole, name: string) => `Promise.resolve(${replace(whole, name)})`);
}
