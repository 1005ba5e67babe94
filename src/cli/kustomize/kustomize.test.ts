import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { dumpYaml } from '#machinery/yaml.ts';
import { metadataOf } from '../manifests/objects.ts';
import { buildKustomization } from './build.ts';

const examples = join(import.meta.dirname, 'examples');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kustomize-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const configMap = (name: string): string => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;

for (const path of ['shop/base', 'shop/overlay', 'patches', 'parts', 'layers', 'scalars', 'merges']) {
  test(`${path} comes to what the official kubectl makes of it`, () => {
    const built = buildKustomization(join(examples, path));
    const expected = readFileSync(join(examples, 'expected', `${path.replace('/', '-')}.yaml`), 'utf8');
    assert.equal(built.map(dumpYaml).join('---\n'), expected);
  });
}

test('what others need comes first, unless resources shall stay as they were named', () => {
  const namesWith = (more: string) => {
    write({ 'kustomization.yaml': `resources: [b.yaml, a.yaml]\n${more}` });
    return buildKustomization(folder).map((each) => metadataOf(each).name);
  };
  write({ 'a.yaml': '{apiVersion: v1, kind: Namespace, metadata: {name: a}}', 'b.yaml': configMap('b') });
  assert.deepEqual(namesWith(''), ['a', 'b']);
  assert.deepEqual(namesWith('sortOptions: {order: fifo}'), ['b', 'a']);
});

test('deprecated fields work, and are told', () => {
  write({
    'kustomization.yaml': 'bases: [base]\ncommonLabels: {a: b}',
    'base/kustomization.yml': 'resources: [a.yaml]',
    'base/a.yaml': configMap('a'),
  });
  const warnings: string[] = [];
  const [built] = buildKustomization(folder, { warn: (text) => warnings.push(text) });
  assert.deepEqual(metadataOf(built ?? {}).labels, { a: 'b' });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? '', /^# Warning: 'bases' is deprecated. Please use 'resources' instead./);
});

const refusals: readonly (readonly [string, RegExp])[] = [
  ['resources: [https://example.com/x.yaml]', /^accumulating resources: remote resources are not supported: https:/],
  ['resources: [github.com/a/b?ref=v1]', /remote resources are not supported/],
  ['resources: [../outside.yaml]', /security; file '.*outside.yaml' is not in or below/],
  ['resources: [../folder]', /cycle detected: candidate root '.*' contains visited root/],
  [
    'resources: [a.yaml, a.yaml]',
    /may not add resource with an already registered id: ConfigMap.v1.\[noGrp\]\/a.\[noNs\]/,
  ],
  ['resources: [none.yaml]', /lstat .*none.yaml: no such file or directory': must build at directory/],
  ['namePrefix: 3', /cannot unmarshal number into Go struct field Kustomization.namePrefix of type string/],
  ['images: [{nam: x}]', /^invalid Kustomization: json: unknown field "nam"$/],
  ['vars: [{name: x}]', /^this kubectl does not support vars in a kustomization$/],
  ['kind: Kustomization', /^kustomization.yaml is empty$/],
  [
    'configMapGenerator: [{name: a, literals: [x]}]',
    /^loading KV pairs: literal sources \[x\]: invalid literal source x/,
  ],
  [
    'resources: [a.yaml]\npatches: [{patch: "{kind: ConfigMap, apiVersion: v1, metadata: {name: b}}"}]',
    /no matches for Id/,
  ],
];
for (const [text, expected] of refusals) {
  test(`refused: ${text}`, () => {
    const root = join(folder, 'folder');
    write({ 'outside.yaml': configMap('o'), 'folder/kustomization.yaml': text, 'folder/a.yaml': configMap('a') });
    assert.throws(() => buildKustomization(root), { name: 'CliError', message: expected });
  });
}
