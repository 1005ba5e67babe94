import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from '#client/client.ts';
import { ConfigMap, CustomResourceDefinition as DefinitionKind, Namespace } from '#kinds/generated/handles.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '#kinds/generated/types/apiextensions_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { startApiServer } from '#testing/cluster.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';

type Custom = ApiObject & { readonly spec?: Record<string, unknown>; readonly status?: Record<string, unknown> };

const size: JSONSchemaProps = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: { size: { type: 'integer', default: 1, maximum: 9 }, color: { type: 'string' } },
    },
    status: { type: 'object', properties: { size: { type: 'integer' } } },
  },
};

function version(name: string, more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion {
  return { name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: size }, ...more };
}

function definition(plural: string, more: Partial<CustomResourceDefinitionSpec> = {}): CustomResourceDefinition {
  const kind = `${plural[0]!.toUpperCase()}${plural.slice(1, -1)}`;
  const group = 'example.com';
  return {
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names: { plural, kind }, versions: [version('v1')], ...more },
  };
}

function kindOf({ spec }: CustomResourceDefinition, name = 'v1'): Kind<Custom> {
  const { kind, plural } = spec.names;
  return { group: spec.group, version: name, kind, resource: plural, namespaced: spec.scope === 'Namespaced' };
}

const named = (name: string, spec: Record<string, unknown> = {}): Custom => ({ metadata: { name, namespace }, spec });

function conditionsOf({ status }: CustomResourceDefinition): Record<string, string> {
  return Object.fromEntries(
    (status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]),
  );
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'was not refused',
    (error: Error) => error.message,
  );
}

let plane: TestControlPlane;
let client: Client;

before(async () => {
  plane = await startControlPlane({ nodes: [] });
  client = plane.client;
});

after(() => plane.stop());

test('a kind is served by the answer to the creation of its definition', async () => {
  const widgets = definition('widgets');
  const created = await client.create(DefinitionKind, widgets);
  assert.deepEqual(conditionsOf(created), {
    NamesAccepted: 'True NoConflicts',
    Established: 'True InitialNamesAccepted',
  });
  const made = await client.create(kindOf(widgets), named('a', { junk: true, color: 'red' }));
  assert.deepEqual(made.spec, { color: 'red', size: 1 });
  assert.equal(made.metadata.generation, 1);
  const message = await refusal(client.create(kindOf(widgets), named('b', { size: 10 })));
  assert.match(message, /Widget.example.com "b" is invalid: spec.size: Invalid value: 10: .* less than or equal to 9/);
});

test('a status of its own is written through its door alone, and counts as no generation', async () => {
  const subresources = {
    status: {},
    scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
  };
  const gauges = definition('gauges', { versions: [version('v1', { subresources })] });
  await client.create(DefinitionKind, gauges);
  const kind = kindOf(gauges);
  const ref = { name: 'a', namespace };
  const made = await client.create(kind, { ...named('a'), status: { size: 5 } });
  assert.equal(made.status, undefined);
  const reported = await client.updateStatus(kind, { ...made, spec: { size: 7 }, status: { size: 2 } });
  assert.deepEqual([reported.spec, reported.status, reported.metadata.generation], [{ size: 1 }, { size: 2 }, 1]);
  const told = { ...reported, status: { size: 'large' } };
  assert.match(
    await refusal(client.updateStatus(kind, told)),
    /status\.size: Invalid value: "string": size in body must be of type integer: "string"/,
  );
  const scale = await client.getSubresource(kind, ref, 'scale');
  assert.deepEqual([scale['spec'], scale['status']], [{ replicas: 1 }, { replicas: 2 }]);
  await client.updateSubresource(kind, ref, 'scale', { metadata: ref, spec: { replicas: 3 } });
  const scaled = await client.get(kind, ref);
  assert.deepEqual([scaled.spec, scaled.metadata.generation], [{ size: 3 }, 2]);
});

test('versions without a converter differ in their name, and each prunes and fills in by its own schema', async () => {
  const later: JSONSchemaProps = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        default: {},
        properties: { size: { type: 'integer' }, shape: { type: 'string', default: 'round' } },
      },
    },
  };
  const parts = definition('parts', {
    versions: [version('v1'), version('v2', { schema: { openAPIV3Schema: later } })],
  });
  await client.create(DefinitionKind, parts);
  await client.create(kindOf(parts), named('a', { color: 'red' }));
  const seen = await client.get(kindOf(parts, 'v2'), { name: 'a', namespace });
  assert.deepEqual([seen.apiVersion, seen.spec], ['example.com/v2', { size: 1, shape: 'round' }]);
  const kept = await client.get(kindOf(parts), { name: 'a', namespace });
  assert.deepEqual(kept.spec, { color: 'red', size: 1 });
  const current = await client.get(DefinitionKind, { name: 'parts.example.com' });
  const versions = current.spec.versions.map((each) => ({ ...each, storage: each.name === 'v2' }));
  const moved = await client.update(DefinitionKind, { ...current, spec: { ...current.spec, versions } });
  assert.deepEqual(moved.status?.storedVersions, ['v1', 'v2']);
  const unchanged = await client.get(kindOf(parts, 'v2'), { name: 'a', namespace });
  const rewritten = await client.update(kindOf(parts, 'v2'), unchanged);
  assert.notEqual(rewritten.metadata.resourceVersion, unchanged.metadata.resourceVersion);
  const again = await client.update(kindOf(parts, 'v2'), rewritten);
  assert.equal(again.metadata.resourceVersion, rewritten.metadata.resourceVersion);
});

test('apply knows the keys of lists and tells conflicts', async () => {
  const item = { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'integer' } } };
  const list = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: item as never,
  };
  const openAPIV3Schema: JSONSchemaProps = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { list } } },
  };
  const shelves = definition('shelves', {
    names: { plural: 'shelves', kind: 'Shelf' },
    versions: [version('v1', { schema: { openAPIV3Schema } })],
  });
  await client.create(DefinitionKind, shelves);
  const kind = kindOf(shelves);
  const apply = (manager: string, items: readonly object[], force = false) => {
    const body = {
      apiVersion: 'example.com/v1',
      kind: 'Shelf',
      metadata: { name: 'a', namespace },
      spec: { list: items },
    };
    return client.patch(kind, { name: 'a', namespace }, { type: 'apply', body, force }, { fieldManager: manager });
  };
  await apply('one', [{ k: 'a', v: 1 }]);
  const both = await apply('two', [{ k: 'b', v: 2 }]);
  assert.deepEqual(both.spec?.['list'], [
    { k: 'a', v: 1 },
    { k: 'b', v: 2 },
  ]);
  assert.match(await refusal(apply('two', [{ k: 'a', v: 9 }])), /conflict with "one": \.spec\.list\[k="a"\]\.v/);
  const without = await apply('two', []);
  assert.deepEqual(without.spec?.['list'], [{ k: 'a', v: 1 }]);
  assert.match(await refusal(apply('two', [{ k: 'c', v: 'x' }])), /\.v: expected numeric \(int or float\), got string/);
});

test('metadata outlives what of it is no longer applied, whichever version is', async () => {
  const pens = definition('pens', { versions: [version('v1'), version('v2')] });
  await client.create(DefinitionKind, pens);
  const apply = (name: string, metadata: object) => {
    const body = {
      apiVersion: `example.com/${name}`,
      kind: 'Pen',
      metadata: { name: 'a', ...metadata },
      spec: { size: 2 },
    };
    return client.patch(kindOf(pens, name), { name: 'a', namespace }, { type: 'apply', body }, { fieldManager: 'one' });
  };
  await apply('v1', { finalizers: ['example.com/hold'] });
  const { metadata } = await apply('v2', {});
  assert.deepEqual([metadata.name, metadata.finalizers ?? []], ['a', []]);
});

test('names that another definition of the group holds are accepted once they are free', async () => {
  const names = { plural: 'crates', kind: 'Box', shortNames: ['bx'] };
  await client.create(
    DefinitionKind,
    definition('boxes', { names: { plural: 'boxes', kind: 'Box', shortNames: ['bx'] } }),
  );
  const waiting = await client.create(DefinitionKind, definition('crates', { names }));
  assert.deepEqual(conditionsOf(waiting), {
    NamesAccepted: 'False ListKindConflict',
    Established: 'False NotAccepted',
  });
  await client.delete(DefinitionKind, { name: 'boxes.example.com' });
  const accepted = await plane.until(
    () => client.get(DefinitionKind, { name: 'crates.example.com' }),
    (definition) => conditionsOf(definition)['Established'] === 'True InitialNamesAccepted',
    10,
  );
  assert.deepEqual(accepted.status?.acceptedNames?.shortNames, ['bx']);
});

test('a definition goes after its objects, and takes nothing new meanwhile', async () => {
  const logs = definition('logs');
  const kind = kindOf(logs);
  await client.create(DefinitionKind, logs);
  await client.create(kind, {
    ...named('held'),
    metadata: { name: 'held', namespace, finalizers: ['example.com/hold'] },
  });
  await client.create(kind, named('free'));
  await client.delete(DefinitionKind, { name: 'logs.example.com' });
  await plane.until(
    () => client.list(kind),
    ({ items }) => items.length === 1,
    10,
  );
  assert.match(
    await refusal(client.create(kind, named('late'))),
    /create not allowed while custom resource definition is terminating/,
  );
  await client.patch(kind, { name: 'held', namespace }, { type: 'merge', body: { metadata: { finalizers: [] } } });
  await plane.until(
    () => client.list(DefinitionKind),
    ({ items }) => !items.some(({ metadata }) => metadata.name === 'logs.example.com'),
    10,
  );
  assert.match(await refusal(client.list(kind)), /could not find the requested resource/);
});

test('garbage collection and namespaces know custom kinds', async () => {
  const owners = definition('owners');
  const kind = kindOf(owners);
  await client.create(DefinitionKind, owners);
  await client.create(Namespace, { metadata: { name: 'full' }, spec: {} });
  const owner = await client.create(kind, { metadata: { name: 'a', namespace: 'full' } });
  const reference = { apiVersion: 'example.com/v1', kind: 'Owner', name: 'a', uid: owner.metadata.uid! };
  await client.create(ConfigMap, { metadata: { name: 'owned', namespace: 'full', ownerReferences: [reference] } });
  await client.delete(kind, { name: 'a', namespace: 'full' });
  await plane.until(
    () => client.list(ConfigMap, { namespace: 'full' }),
    ({ items }) => !items.some(({ metadata }) => metadata.name === 'owned'),
    10,
  );
  await client.create(kind, { metadata: { name: 'b', namespace: 'full' } });
  await client.delete(Namespace, { name: 'full' });
  await plane.until(
    () => client.list(kind),
    ({ items }) => items.length === 0,
    20,
  );
});

test('a server that starts on a store serves what is defined there at once', async () => {
  const store = new MemoryStore();
  const first = await startApiServer({ store });
  const things = definition('things');
  await first.client.create(DefinitionKind, things);
  await first.client.create(kindOf(things), named('a'));
  first.server.stop();
  const second = await startApiServer({ store });
  const { items } = await second.client.list(kindOf(things));
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['a'],
  );
  await second.stop();
});

test('definitions that cannot be are refused in the official server’s words', async () => {
  const spec = (schema: JSONSchemaProps) =>
    definition('bads', {
      versions: [version('v1', { schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } } })],
    });
  const at = 'spec.validation.openAPIV3Schema.properties[spec]';
  const cases: readonly (readonly [CustomResourceDefinition, string])[] = [
    [spec({}), `${at}.type: Required value: must not be empty for specified object fields`],
    [spec({ type: 'array' }), `${at}.items: Required value: must be specified`],
    [
      spec({ type: 'string', default: 3 }),
      `${at}.default: Invalid value: "integer":  in body must be of type string: "integer"`,
    ],
    [
      spec({ type: 'object', default: { q: 1 } }),
      `${at}.default: Invalid value: {"q":1}: must not have unknown fields`,
    ],
    [
      spec({ type: 'string', pattern: '(' }),
      `${at}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
    ],
    [
      { ...definition('bads'), metadata: { name: 'x.example.com' } },
      'metadata.name: Invalid value: "x.example.com": must be spec.names.plural+"."+spec.group',
    ],
    [
      definition('bads', { conversion: { strategy: 'Webhook' } }),
      '[spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook, spec.conversion.conversionReviewVersions: Required value]',
    ],
  ];
  for (const [bad, message] of cases)
    assert.equal(
      await refusal(client.create(DefinitionKind, bad)),
      `CustomResourceDefinition.apiextensions.k8s.io "${bad.metadata.name}" is invalid: ${message}`,
    );
});

test('a thousand kinds come and go, and nothing of them stays', async () => {
  const { server, client: own, environment, stop } = await startApiServer();
  const before = [...server.resources.all()].length;
  const names = Array.from({ length: 1000 }, (_, index) => `k${index}s`);
  for (const name of names) await own.create(DefinitionKind, definition(name));
  assert.equal([...server.resources.all()].length, before + 1000);
  await Promise.all(names.map((name) => own.delete(DefinitionKind, { name: `${name}.example.com` })));
  await environment.clock.advance(1000);
  assert.equal((await own.list(DefinitionKind)).items.length, 0);
  assert.equal([...server.resources.all()].length, before);
  assert.equal(server.resources.groups.has('example.com'), false);
  await stop();
});
