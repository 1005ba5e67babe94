import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bytesType, WireReader } from '#machinery/protobuf/wire.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { ResourceTable, type ServedResource } from '../resources/resource.ts';
import { openApi2Document, openApi3Document } from './documents.ts';
import enums from './enums.json' with { type: 'json' };
import { encodeOpenApi2 } from './gnostic.ts';
import type { OpenApiObject } from './types.ts';

type Tree = { readonly [key: string]: Tree };

let table: ResourceTable;
let documents: { readonly resources: readonly ServedResource[]; readonly document: OpenApiObject }[];

before(async () => {
  table = await ResourceTable.open(new MemoryStore());
  const resources = [...table.all()];
  const groups = Map.groupBy(resources, ({ kind }) => `${kind.group}/${kind.version}`);
  const describe = () => 'words';
  documents = [
    { resources, document: openApi2Document(resources, describe) },
    ...[...groups.values()].map((members) => ({ resources: members, document: openApi3Document(members, describe) })),
  ];
});
after(() => table.close());

test('every reference of every document leads to a type of the same document', () => {
  for (const { document } of documents) {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
    assert.ok(references.length > 0);
    for (const target of new Set(references)) {
      const found = target
        .slice('#/'.length)
        .split('/')
        .reduce<Tree | undefined>((at, key) => at?.[key], document as Tree);
      assert.notEqual(found, undefined, target);
    }
  }
});

test('every verb of a resource is an operation on its kind', () => {
  const actions: Readonly<Record<string, string>> = { create: 'post', update: 'put', watch: 'list' };
  for (const { resources, document } of documents) {
    const paths = document['paths'] as Tree;
    for (const { kind, verbs } of resources) {
      const { group, version, resource } = kind;
      const root = `/${group === '' ? 'api' : `apis/${group}`}/${version}${kind.namespaced ? '/namespaces/{namespace}' : ''}`;
      const operations = [paths[`${root}/${resource}`] ?? {}, paths[`${root}/${resource}/{name}`] ?? {}].flatMap(
        Object.values,
      );
      const offered = operations.filter((operation) => kindOf(operation) === `${group}/${version}/${kind.kind}`);
      for (const verb of verbs)
        assert.ok(
          offered.some((operation) => String(operation['x-kubernetes-action']) === (actions[verb] ?? verb)),
          `${verb} ${resource}.${version}.${group}`,
        );
    }
  }
});

test('every kind that can be sent names itself in its type', () => {
  for (const { resources, document } of documents) {
    const types = (document['definitions'] ?? (document['components'] as OpenApiObject)['schemas'] ?? {}) as Tree;
    const named = new Set(
      Object.values(types).flatMap((type) => Object.values(type['x-kubernetes-group-version-kind'] ?? {}).map(pathOf)),
    );
    for (const { kind } of resources) assert.ok(named.has(`${kind.group}/${kind.version}/${kind.kind}`), kind.kind);
  }
});

test('no two operations have the same id', () => {
  for (const { document } of documents) {
    const ids = [...JSON.stringify(document).matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
  }
});

test('nothing but an extension stands beside a reference in OpenAPI 3', () => {
  for (const { document } of documents.slice(1)) {
    const check = (node: unknown): void => {
      if (node === null || typeof node !== 'object') return;
      if ('$ref' in node && typeof node.$ref === 'string')
        assert.deepEqual(
          Object.keys(node).filter((key) => !key.startsWith('x-')),
          ['$ref'],
        );
      for (const value of Object.values(node)) check(value);
    };
    check(document);
  }
});

test('the protobuf form has the same types and paths as the JSON form', () => {
  const { document } = documents[0]!;
  const bytes = encodeOpenApi2(document);
  assert.deepEqual(names(bytes, 9, 1), Object.keys(document['definitions'] as object));
  assert.deepEqual(names(bytes, 8, 2), Object.keys(document['paths'] as object));
});

/** Names of the pairs in field `inner` of the message in field `outer`. */
function names(document: Uint8Array, outer: number, inner: number): string[] {
  const [pairs] = messages(document, outer);
  return messages(pairs!, inner).map((pair) => new TextDecoder().decode(messages(pair, 1)[0]));
}

function messages(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const reader = new WireReader(bytes); !reader.done; ) {
    const { number, wireType } = reader.tag();
    assert.equal(wireType, bytesType);
    const value = reader.delimited();
    if (number === wanted) found.push(value);
  }
  return found;
}

function kindOf(operation: Tree): string | undefined {
  const kind = operation['x-kubernetes-group-version-kind'];
  return kind === undefined ? undefined : pathOf(kind);
}

function pathOf(kind: object): string {
  const {
    group,
    version,
    kind: name,
  } = kind as { readonly group: string; readonly version: string; readonly kind: string };
  return `${group}/${version}/${name}`;
}

test('fields of a few words say which they are, those of lists in their items, in both versions', () => {
  const schemas = documents.flatMap(({ document }) => {
    const { components, definitions } = document as { components?: Tree; definitions?: Tree };
    return [definitions ?? components?.['schemas'] ?? {}];
  });
  const wordsOf = (type: string, field: string, ...inner: readonly string[]): readonly string[] =>
    schemas.flatMap((types) => {
      let found: Tree | undefined = types[type]?.['properties']?.[field];
      for (const key of inner) found = found?.[key];
      return found === undefined ? [] : [Object.values(found['enum'] ?? {}).join()];
    });
  const strategies = wordsOf('io.k8s.api.apps.v1.DeploymentStrategy', 'type');
  assert.deepEqual([...new Set(strategies)], ['Recreate,RollingUpdate']);
  assert.equal(strategies.length, 2);
  const scopes = new Set(wordsOf('io.k8s.api.networking.v1.NetworkPolicySpec', 'policyTypes', 'items'));
  assert.deepEqual([...scopes], ['Egress,Ingress']);
});

test('every type and field whose words are known is published', () => {
  const schemas = documents.flatMap(({ document }) => Object.entries((document['definitions'] ?? {}) as Tree));
  const published = new Map(schemas);
  for (const [type, fields] of Object.entries(enums))
    for (const field of Object.keys(fields))
      assert.notEqual(published.get(type)?.['properties']?.[field], undefined, `${type} ${field}`);
});
