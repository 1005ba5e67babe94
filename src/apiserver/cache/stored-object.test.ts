import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloneJson } from '#machinery/clone.ts';
import { StoredObject } from './stored-object.ts';

/** As a store has a value on its disk; counts how often it is read. */
class OnDisk {
  readonly keepsBytes = true;
  reads = 0;
  readonly #bytes: Uint8Array;

  constructor(value: unknown) {
    this.#bytes = new TextEncoder().encode(JSON.stringify(value));
  }

  get bytes(): Uint8Array {
    this.reads++;
    return this.#bytes;
  }
}

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web' }, managedFields: [{ manager: 'test', operation: 'Update' }] },
  spec: { nodeName: 'one', containers: [{ name: 'main' }] },
  status: { phase: 'Running' },
});

test('an object of a disk is not kept for long, but for its labels, and is the same whenever it is read', () => {
  const source = new OnDisk(pod('web'));
  const stored = StoredObject.of(source);
  assert.deepEqual(stored.labels, { app: 'web' });
  assert.deepEqual(stored.object, pod('web'));
  assert.equal(source.reads, 1);
  for (let index = 0; index < 1000; index++) assert.ok(StoredObject.of(new OnDisk(pod(`other-${index}`))).object);
  assert.deepEqual(stored.labels, { app: 'web' });
  assert.equal(source.reads, 1);
  assert.deepEqual(stored.object, pod('web'));
  assert.equal(source.reads, 2);
});

test('what was written here is read from the disk once the store has settled it there, and holds nothing else', () => {
  const stored = StoredObject.ofObject(pod('web'));
  const { lean, memory } = stored;
  assert.equal(stored.object, stored.object);
  const source = new OnDisk(pod('web'));
  stored.settle(source);
  assert.deepEqual(stored.labels, { app: 'web' });
  assert.equal(lean.metadata.name, 'web');
  assert.equal(source.reads, 0);
  assert.equal(stored.memory, undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(lean)), pod('web'));
  assert.equal(source.reads, 1);
  assert.notEqual(stored.memory, memory);
});

test('a lean object looks like a whole one to who compares, copies, spreads or writes it', () => {
  const { lean } = StoredObject.of(new OnDisk(pod('web')));
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  assert.deepEqual(plain(lean), pod('web'));
  assert.deepEqual(plain(cloneJson(lean)), pod('web'));
  assert.deepEqual(plain({ ...lean, status: { phase: 'Failed' } }), { ...pod('web'), status: { phase: 'Failed' } });
  assert.deepEqual(plain({ ...lean.metadata, name: 'other' }), { ...pod('web').metadata, name: 'other' });
  assert.deepEqual(Object.keys(lean).sort(), Object.keys(pod('web')).sort());
  assert.equal('spec' in lean, true);
  assert.equal('data' in lean, false);
});
