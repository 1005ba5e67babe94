import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '#client/client.ts';
import {
  HorizontalPodAutoscaler as Autoscaler,
  CustomResourceDefinition as Definition,
} from '#kinds/generated/handles.ts';
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { type ApiObject, apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import { startApiServer } from '#testing/cluster.ts';

const namespace = 'default';
const ref = { name: 'x', namespace };

type Custom = ApiObject & { readonly spec?: unknown };

const inVersion = (kind: Kind, version: string): Kind<Custom> => ({ ...kind, version }) as Kind<Custom>;

function apply(client: Client, kind: Kind<Custom>, manager: string, spec: JsonObject, force = false): Promise<Custom> {
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: ref.name }, spec } as JsonObject;
  return client.patch(kind, ref, { type: 'apply', body: object, force }, { fieldManager: manager });
}

function owners({ metadata }: ApiObject): Readonly<Record<string, unknown>> {
  const entries = metadata.managedFields ?? [];
  return Object.fromEntries(entries.map((entry) => [`${entry.manager} at ${entry.apiVersion}`, entry.fieldsV1]));
}

const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
const targetFields = { 'f:apiVersion': {}, 'f:kind': {}, 'f:name': {} };
const useOf = (averageUtilization: number): JsonObject => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

test('fields that were applied through one version of a built-in kind are defended against another', async () => {
  const { client, stop } = await startApiServer();
  const [first, second] = [inVersion(Autoscaler, 'v1'), inVersion(Autoscaler, 'v2')];
  const spec = { scaleTargetRef: target, maxReplicas: 5 };
  await apply(client, first, 'a', { ...spec, targetCPUUtilizationPercentage: 50 });
  await assert.rejects(apply(client, second, 'b', { ...spec, metrics: [useOf(70)] }), {
    message: 'Apply failed with 1 conflict: conflict with "a": .spec.targetCPUUtilizationPercentage',
  });
  const forced = await apply(client, second, 'b', { ...spec, metrics: [useOf(70)] }, true);
  assert.deepEqual(owners(forced), {
    'a at autoscaling/v1': { 'f:spec': { 'f:maxReplicas': {}, 'f:scaleTargetRef': {} } },
    'b at autoscaling/v2': {
      'f:spec': { 'f:maxReplicas': {}, 'f:metrics': {}, 'f:scaleTargetRef': targetFields },
    },
  });
  const patch = { type: 'merge', body: { spec: { targetCPUUtilizationPercentage: 33 } } } as const;
  const updated = await client.patch(first, ref, patch, { fieldManager: 'u' });
  assert.deepEqual(owners(updated)['b at autoscaling/v2'], {
    'f:spec': { 'f:maxReplicas': {}, 'f:scaleTargetRef': targetFields },
  });
  await stop();
});

const version = (name: string, extra: string): CustomResourceDefinitionVersion => {
  const text: JSONSchemaProps = { type: 'string' };
  const list: JSONSchemaProps = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  };
  const properties: Readonly<Record<string, JSONSchemaProps>> = { a: text, list, [extra]: text };
  const spec: JSONSchemaProps = { type: 'object', properties };
  const openAPIV3Schema: JSONSchemaProps = { type: 'object', properties: { spec } };
  return { name, served: true, storage: name === 'v1', schema: { openAPIV3Schema } };
};

const group = 'example.com';
const names = { plural: 'wids', kind: 'Wid' };
const wid: Kind<Custom> = { group, version: 'v1', kind: names.kind, resource: names.plural, namespaced: true };
const [widOne, widTwo] = [inVersion(wid, 'v1'), inVersion(wid, 'v2')];

async function startWithWids(): Promise<Awaited<ReturnType<typeof startApiServer>>> {
  const started = await startApiServer();
  await started.client.create(Definition, {
    metadata: { name: `wids.${group}` },
    spec: { group, scope: 'Namespaced', names, versions: [version('v1', 'old'), version('v2', 'new')] },
  });
  return started;
}

test('an applier that moves to another version of a custom kind removes what it applied through the last', async () => {
  const { client, stop } = await startWithWids();
  await apply(client, widOne, 'a', { a: '1', list: [{ name: 'p' }] });
  const patch = { type: 'merge', body: { spec: { list: [{ name: 'p' }, { name: 'q' }] } } } as const;
  await client.patch(widTwo, ref, patch, { fieldManager: 'u' });
  const moved = await apply(client, widTwo, 'a', { list: [{ name: 'r' }] });
  assert.deepEqual(moved.spec, { list: [{ name: 'q' }, { name: 'r' }] });
  assert.deepEqual(owners(moved), {
    'a at example.com/v2': { 'f:spec': { 'f:list': { 'k:{"name":"r"}': { '.': {}, 'f:name': {} } } } },
    'u at example.com/v2': { 'f:spec': { 'f:list': { 'k:{"name":"q"}': { '.': {}, 'f:name': {} } } } },
  });
  await stop();
});

test('a change that does not fit the version of another owner is refused to appliers and ends the record', async () => {
  const { client, stop } = await startWithWids();
  await apply(client, widOne, 'a', { a: '1' });
  await assert.rejects(apply(client, widTwo, 'b', { new: 'n' }, true), {
    message: 'failed to convert new object: .spec.new: field not declared in schema',
  });
  const patch = { type: 'merge', body: { spec: { new: 'n' } } } as const;
  const updated = await client.patch(widTwo, ref, patch, { fieldManager: 'u' });
  assert.deepEqual([updated.spec, owners(updated)], [{ a: '1', new: 'n' }, {}]);
  await stop();
});

test('who owned fields of a version that a definition no longer has is forgotten by the next write', async () => {
  const { client, stop } = await startWithWids();
  await apply(client, widTwo, 'a', { a: '1' });
  const spec = { versions: [version('v1', 'old')] };
  await client.patch(Definition, { name: `wids.${group}` }, { type: 'merge', body: { spec } });
  await assert.rejects(apply(client, widOne, 'b', { a: '2' }), {
    message: `request to convert CR to an invalid group/version: ${group}/v2`,
  });
  const patch = { type: 'merge', body: { metadata: { labels: { b: 'c' } } } } as const;
  assert.deepEqual(owners(await client.patch(widOne, ref, patch, { fieldManager: 'u' })), {});
  const first = await apply(client, widOne, 'b', { a: '2' }, true);
  assert.deepEqual(Object.keys(owners(first)), ['b at example.com/v1', 'before-first-apply at example.com/v1']);
  await stop();
});
