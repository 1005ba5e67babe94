import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasSchema, schemaNamed } from '#kinds/schemas.ts';
import { decodeCbor, encodeCbor } from '#machinery/cbor.ts';
import { conform, decodeJson, encodeJson, parseJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { decodeProtobuf, encodeProtobuf } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { dumpYaml, parseYaml } from '#machinery/yaml.ts';

const folder = join(import.meta.dirname, 'golden');
const read = (file: string): Uint8Array => readFileSync(join(folder, file));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

/** The type of a file named `apps.v1.Deployment` or `rbac.authorization.k8s.io.v1.Role`. */
function schemaOf(name: string): ObjectSchema {
  const [, group, version, kind] = /^(.*)\.(v\d\w*)\.(\w+)$/.exec(name)!;
  const short = group === 'internal.apiserver.k8s.io' ? 'apiserverinternal' : group!.split('.')[0]!;
  const found = [`${short}.${version}.${kind}`, `meta.${version}.${kind}`].find(hasSchema);
  assert.ok(found, `no schema for ${name}`);
  return schemaNamed(found);
}

test('all golden files are there', () => assert.equal(names.length * 3, 555));

test('golden objects decode from JSON, YAML and protobuf to one value', () => {
  for (const name of names) {
    const schema = schemaOf(name);
    const json = parseJson(read(`${name}.json`));
    const decoded = decodeJson(read(`${name}.json`), schema, { findDuplicates: true });
    assert.deepEqual(decoded, { value: json, odd: [] }, name);
    assert.deepEqual(parseYaml(new TextDecoder().decode(read(`${name}.yaml`))), json, name);
    assert.deepEqual(decodeProtobuf(read(`${name}.pb`), schema), json, name);
  }
});

test('golden objects encode again to JSON and YAML by value and to protobuf byte for byte', () => {
  for (const name of names) {
    const schema = schemaOf(name);
    const object = decodeJson(read(`${name}.json`), schema).value as JsonObject;
    assert.deepEqual(parseJson(encodeJson(object)), parseJson(read(`${name}.json`)), name);
    assert.equal(dumpYaml(object), new TextDecoder().decode(read(`${name}.yaml`)), name);
    assert.ok(Buffer.from(read(`${name}.pb`)).equals(encodeProtobuf(object, schema)), name);
  }
});

test('golden objects go through CBOR without loss', () => {
  for (const name of names) {
    const schema = schemaOf(name);
    const json = parseJson(read(`${name}.json`));
    assert.deepEqual(conform(decodeCbor(encodeCbor(json, schema)), schema), { value: json, unknown: [] }, name);
    assert.deepEqual(decodeCbor(encodeCbor(json)), json, name);
  }
});
