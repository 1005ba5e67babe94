import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaNamed } from '#kinds/schemas.ts';
import fc from '#testing/properties.ts';
import { conform } from '../conform.ts';
import { ApiError } from '../errors.ts';
import type { ApiObject, JsonObject } from '../meta.ts';
import { differenceFields, type FieldTree, intersectFields, pathsOf, unionFields } from './field-tree.ts';
import { applyPatch, trackUpdate } from './index.ts';

const schema = schemaNamed('apps.v1.Deployment');
const apiVersion = 'apps/v1';
const resetFields = [['status']];
const start = Date.UTC(2026, 0, 1);

function deployment(spec: object, metadata: object = {}): JsonObject {
  return {
    apiVersion,
    kind: 'Deployment',
    metadata: { name: 'a', namespace: 'default', ...metadata },
    spec,
  } as JsonObject;
}

/** Where everybody writes through one version nothing has to be waited for. */
function atOnce<T>(value: T | Promise<T>): T {
  assert.ok(!(value instanceof Promise));
  return value;
}

const decoded = (object: JsonObject): ApiObject => conform(object, schema).value as unknown as ApiObject;

function apply(live: ApiObject | undefined, patch: JsonObject, manager: string, force = false, now = start): ApiObject {
  const kind = 'Deployment';
  return atOnce(
    applyPatch({ live, patch, schema, manager, force, now, subresource: '', apiVersion, kind, resetFields }),
  );
}

function update(old: ApiObject | undefined, next: ApiObject, manager: string, now = start): ApiObject {
  const managedFields = atOnce(
    trackUpdate({ old, new: next, schema, manager, apiVersion, subresource: '', now, resetFields }),
  );
  return { ...next, metadata: { ...next.metadata, managedFields } };
}

const owners = (object: ApiObject): Record<string, unknown> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
  );

test('a create is owned by its writer in the form that the official server records', () => {
  const object = decoded(
    deployment(
      {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { containers: [{ name: 'c', image: 'x' }], securityContext: {} },
        },
      },
      { labels: { app: 'a' } },
    ),
  );
  assert.deepEqual(update(undefined, object, 'kubectl-create').metadata.managedFields, [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion,
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
            'f:spec': {
              'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} } },
              'f:securityContext': {},
            },
          },
        },
      },
    },
  ]);
});

test('an update that changes nothing leaves managed fields untouched', () => {
  const created = update(undefined, decoded(deployment({ replicas: 1 })), 'a');
  const again = trackUpdate({
    old: created,
    new: structuredClone(created),
    schema,
    manager: 'b',
    apiVersion,
    subresource: '',
    now: start + 1e6,
    resetFields,
  });
  assert.deepEqual(again, created.metadata.managedFields);
});

test('an update takes over what it changes, and what it removes belongs to nobody', () => {
  const created = update(undefined, decoded(deployment({ replicas: 1, paused: true, minReadySeconds: 3 })), 'a');
  const { paused: _, ...spec } = (created as unknown as { spec: { paused: boolean } }).spec;
  const changed = update(created, { ...created, spec: { ...spec, replicas: 2 } } as ApiObject, 'b', start + 60_000);
  assert.deepEqual(owners(changed), {
    'a/Update': { 'f:spec': { 'f:minReadySeconds': {} } },
    'b/Update': { 'f:spec': { 'f:replicas': {} } },
  });
});

test('items of one key have one owner of them all, until they are told apart again', () => {
  const env = (...values: readonly string[]): object => ({
    template: { spec: { containers: [{ name: 'a', env: values.map((value) => ({ name: 'P', value })) }] } },
  });
  const variable = (object: ApiObject, owner: string): unknown =>
    JSON.stringify(owners(object)[owner]).match(/"k:\{\\"name\\":\\"P\\"\}":(\{[^}]*\}+?)/)?.[1];
  const created = update(undefined, decoded(deployment(env('1', '2'))), 'a');
  assert.equal(variable(created, 'a/Update'), '{}');
  const { metadata } = created;
  const apart = update(created, { ...decoded(deployment(env('3'))), metadata } as ApiObject, 'b', start + 60_000);
  assert.equal(variable(apart, 'a/Update'), undefined);
  assert.match(String(variable(apart, 'b/Update')), /^\{".":/);
});

test('applying what others own conflicts, with their names and the paths, unless forced', () => {
  const created = update(
    undefined,
    decoded(deployment({ replicas: 1, template: { spec: { containers: [{ name: 'c', image: 'x' }] } } })),
    'creator',
  );
  const patch = deployment({ replicas: 2, template: { spec: { containers: [{ name: 'c', image: 'y' }] } } });
  assert.throws(
    () => apply(created, patch, 'me'),
    (error) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.code, 409);
      assert.equal(
        error.message,
        'Apply failed with 2 conflicts: conflicts with "creator" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="c"].image',
      );
      assert.deepEqual(error.status.details?.causes?.[0], {
        reason: 'FieldManagerConflict',
        message: 'conflict with "creator" using apps/v1',
        field: '.spec.replicas',
      });
      return true;
    },
  );
  const forced = apply(created, patch, 'me', true);
  assert.equal((forced as unknown as { spec: { replicas: number } }).spec.replicas, 2);
  assert.deepEqual(owners(forced)['me/Apply'], {
    'f:spec': {
      'f:replicas': {},
      'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
    },
  });
  assert.equal(pathsOf(owners(forced)['creator/Update'] as FieldTree).includes('.spec.replicas'), false);
});

test('what is no longer applied goes, unless somebody else owns it', () => {
  const first = apply(
    undefined,
    deployment(
      {
        replicas: 1,
        paused: true,
        template: {
          spec: {
            containers: [
              { name: 'c', image: 'x' },
              { name: 'd', image: 'x' },
            ],
          },
        },
      },
      { labels: { mine: '1', ours: '1' } },
    ),
    'me',
  );
  const shared = apply(first, deployment({ paused: true }, { labels: { ours: '1' } }), 'other');
  const next = apply(
    shared,
    deployment({ replicas: 1, template: { spec: { containers: [{ name: 'c', image: 'x' }] } } }),
    'me',
  ) as unknown as { metadata: { labels: object }; spec: object };
  assert.deepEqual(next.metadata.labels, { ours: '1' });
  assert.deepEqual(next.spec, {
    replicas: 1,
    paused: true,
    strategy: {},
    template: { metadata: {}, spec: { containers: [{ name: 'c', image: 'x', resources: {} }] } },
  });
});

test('applying the same twice changes nothing, not even the time', () => {
  const patch = deployment({
    replicas: 1,
    template: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } },
  });
  const first = apply(undefined, patch, 'me');
  const second = apply(first, patch, 'me', false, start + 1e6);
  assert.deepEqual(second, first);
});

test('applying another value of the same field is a change of now', () => {
  const first = apply(undefined, deployment({ replicas: 1 }), 'me');
  const second = apply(first, deployment({ replicas: 2 }), 'me', false, start + 60_000);
  assert.equal(second.metadata.managedFields?.[0]?.time, '2026-01-01T00:01:00Z');
});

test('a configuration that does not fit its type is refused', () => {
  assert.throws(() => apply(undefined, deployment({ replicass: 1 }), 'me'), {
    message:
      'failed to create typed patch object (default/a; apps/v1, Kind=Deployment): .spec.replicass: field not declared in schema',
  });
  assert.throws(() => apply(undefined, { ...deployment({}), apiVersion: 'v1' }, 'me'), {
    message: 'invalid object type: /v1, Kind=Deployment',
  });
});

test('fields that kubectl applied from its side become its own without force', () => {
  const manifest = deployment({ replicas: 1 });
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(manifest) };
  const created = update(undefined, decoded(deployment({ replicas: 1 }, { annotations })), 'kubectl-client-side-apply');
  const applied = apply(created, deployment({ replicas: 2 }), 'kubectl') as unknown as { spec: { replicas: number } };
  assert.equal(applied.spec.replicas, 2);
});

const tree: fc.Arbitrary<FieldTree> = fc
  .letrec((tie) => ({
    node: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'k:{"c":1}', '.'), tie('inner'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    inner: fc.oneof({ maxDepth: 3 }, fc.constant({}), tie('node')),
  }))
  .node.map((root) => {
    const clean = (node: JsonObject): JsonObject =>
      Object.fromEntries(
        Object.entries(node).map(([step, child]) => [step, step === '.' ? {} : clean(child as JsonObject)]),
      );
    const { '.': _, ...rest } = clean(root as JsonObject);
    return rest;
  }) as fc.Arbitrary<FieldTree>;

test('field sets obey the laws of sets', () => {
  const paths = (root: FieldTree): string[] => pathsOf(root).sort();
  fc.assert(
    fc.property(tree, tree, (left, right) => {
      assert.deepEqual(paths(unionFields(left, right)), [...new Set([...paths(left), ...paths(right)])].sort());
      assert.deepEqual(
        paths(differenceFields(left, right)),
        paths(left).filter((path) => !paths(right).includes(path)),
      );
      assert.deepEqual(
        paths(intersectFields(left, right)),
        paths(left).filter((path) => paths(right).includes(path)),
      );
    }),
  );
});

test('what another version owns is judged there, also when a webhook takes its time to convert', async () => {
  // v1 keeps in `hostPort` what v2 keeps in two fields.
  const toFirst = ({ host, port, ...spec }: JsonObject): JsonObject =>
    host === undefined && port === undefined ? spec : { ...spec, hostPort: `${host ?? ''}:${port ?? ''}` };
  const toSecond = ({ hostPort, ...spec }: JsonObject): JsonObject => {
    const [host, port] = typeof hostPort === 'string' ? hostPort.split(':') : [];
    return host === undefined ? spec : { ...spec, host, port };
  };
  const anything = { type: 'object', name: '', fields: new Map(), atomic: false, preserveUnknown: true } as const;
  const versions = {
    of: () => ({ schema: anything, resetFields: [] }),
    convert: async (object: JsonObject, apiVersion: string) => {
      const spec = (apiVersion === 'v1' ? toFirst : toSecond)((object['spec'] ?? {}) as JsonObject);
      return { ...object, apiVersion, spec };
    },
  };
  const applyAs = (live: ApiObject | undefined, manager: string, version: string, spec: JsonObject, force = false) => {
    const patch = { apiVersion: version, kind: 'Wid', metadata: { name: 'a' }, spec };
    const asIs = (value: unknown) => ({ value: value as JsonObject, unknown: [] });
    const who = { manager, force, now: start, subresource: '', apiVersion: version, kind: 'Wid', resetFields: [] };
    return applyPatch({ live, patch, schema: anything, conform: asIs, versions, ...who });
  };
  const first = await applyAs(undefined, 'a', 'v1', { hostPort: 'h:1', size: 1 });
  const read = (await versions.convert(first as unknown as JsonObject, 'v2')) as unknown as ApiObject;
  await assert.rejects(async () => applyAs(read, 'b', 'v2', { host: 'g' }), {
    message: 'Apply failed with 1 conflict: conflict with "a": .spec.hostPort',
  });
  const shared = await applyAs(read, 'b', 'v2', { host: 'h', port: '1' });
  const moved = (await applyAs(shared, 'a', 'v2', { size: 2 })) as ApiObject & { readonly spec: unknown };
  assert.deepEqual(moved.spec, { size: 2, host: 'h', port: '1' });
  assert.deepEqual(owners(moved), {
    'a/Apply': { 'f:spec': { '.': {}, 'f:size': {} } },
    'b/Apply': { 'f:spec': { '.': {}, 'f:host': {}, 'f:port': {} } },
  });
});
