import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client, ListOptions } from '#client/client.ts';
import { Namespace, Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';
import fc from '#testing/properties.ts';

const namespaces = ['red', 'blue'] as const;
const names = ['a', 'b', 'c'] as const;
const phases = ['Pending', 'Running', 'Succeeded'] as const;

const step = fc.record({
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom(...names),
  phase: fc.option(fc.constantFrom(...phases), { nil: undefined }),
});

/** Every shape of what a watcher may be interested in: everything, a namespace, an object, a field, several fields. */
const watched: readonly ListOptions[] = [
  {},
  { namespace: 'red' },
  { namespace: 'red', fieldSelector: 'metadata.name=a' },
  { fieldSelector: 'metadata.name=b' },
  { fieldSelector: 'status.phase=Running' },
  { fieldSelector: 'status.phase!=Running' },
  { namespace: 'blue', fieldSelector: 'status.phase=Pending,metadata.name!=c' },
  { fieldSelector: 'metadata.namespace=blue' },
];

interface Step {
  readonly namespace: string;
  readonly name: string;
  readonly phase: string | undefined;
}

/** Deletes the pod, or makes it be in the phase. */
async function carryOut(client: Client, { namespace, name, phase }: Step): Promise<void> {
  if (phase === undefined) {
    await client.delete(Pod, { namespace, name }, { gracePeriodSeconds: 0 }).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error;
    });
    return;
  }
  const pod = { metadata: { namespace, name }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  await client.create(Pod, pod).catch((error: unknown) => {
    if (!isReason(error, 'AlreadyExists')) throw error;
  });
  await client.patch(
    Pod,
    { namespace, name },
    { type: 'merge', body: { status: { phase } } },
    { subresource: 'status' },
  );
}

test('a watcher sees come and go what a list with its selectors would show', async () => {
  const { client, environment, stop: stopServer } = await startApiServer();
  for (const namespace of namespaces) {
    await client.create(Namespace, { metadata: { name: namespace }, spec: {} });
    await client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const stop = new AbortController();
      const seen = watched.map(() => new Map<string, string | undefined>());
      const followers = watched.map(async (options, index) => {
        for await (const { type, object } of client.watch(Pod, { ...options, signal: stop.signal })) {
          if (type === 'BOOKMARK') continue;
          const key = `${object.metadata.namespace}/${object.metadata.name}`;
          if (type === 'DELETED') assert.ok(seen[index]!.delete(key), `${key} was never seen`);
          else seen[index]!.set(key, object.metadata.resourceVersion);
        }
      });
      for (const one of steps) await carryOut(client, one);
      await environment.clock.advance(0);
      for (const [index, options] of watched.entries()) {
        const { items } = await client.list(Pod, options);
        const listed = items.map(({ metadata: m }) => [`${m.namespace}/${m.name}`, m.resourceVersion] as const);
        assert.deepEqual([...seen[index]!].sort(), listed.sort(), JSON.stringify(options));
      }
      stop.abort();
      await Promise.allSettled(followers);
    }),
    { numRuns: 40 },
  );
  await stopServer();
});
