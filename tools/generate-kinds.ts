/**
 * Writes src/kinds/generated from the published v1.36 interface (a folder with swagger.json, protobuf-fields.json,
 * discovery-*.json and table-columns.json) and from two files beside this one. field-presence.json: the JSON names of
 * each type's fields, with `z` where a zero value is left out, `w` where one is written, `p` where absence is written as
 * null (pointers; those that are never stored absent aside), '' where absence has a meaning of its own. go-fields.json, made by read-go-structs.ts: the Go types that messages name.
 * Usage: node tools/generate-kinds.ts FOLDER
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { read } from './kinds/published.ts';
import { resources } from './kinds/resources.ts';
import { structure } from './kinds/structure.ts';
import { handleModule, typeModules } from './kinds/typescript.ts';

const target = join(import.meta.dirname, '../src/kinds/generated');
mkdirSync(join(target, 'types'), { recursive: true });
for (const [module, text] of typeModules()) writeFileSync(join(target, 'types', `${module}.ts`), text);
writeFileSync(join(target, 'handles.ts'), handleModule());
const lines = (entries: [string, unknown][]): string =>
  `{\n${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',\n')}\n}\n`;
writeFileSync(
  join(target, 'structure.json'),
  lines(Object.entries(structure).sort(([left], [right]) => (left < right ? -1 : 1))),
);
writeFileSync(join(target, 'resources.json'), `[\n${resources.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
writeFileSync(join(target, 'columns.json'), lines(Object.entries(read<Record<string, unknown>>('table-columns.json'))));
process.stdout.write(`${Object.keys(structure).length} types, ${resources.length} resources\n`);
