import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { VirtualClock } from '#base/virtual-clock.ts';
import { ConfigMap, Secret } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { SqliteStore } from '#storage/sqlite/store.ts';
import type { Store } from '#storage/store.ts';
import { startApiServer } from '#testing/cluster.ts';
import { aesCbc, aesGcm, secretbox } from './ciphers.ts';
import { Encryption } from './encryption.ts';
import { bytesOf, decodeFields, encodeFields } from './kms/messages.ts';

const random = seededRandom(7);
const secretKey = '/registry/secrets/default/a';

interface Section {
  readonly resources: readonly string[];
  readonly providers: readonly object[];
}

function folder(t: { after(work: () => void): void }): { readonly file: string; write(...sections: Section[]): void } {
  const path = mkdtempSync(join(tmpdir(), 'proa-encryption-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const file = join(path, 'encryption.json');
  const kind = 'EncryptionConfiguration';
  const apiVersion = 'apiserver.config.k8s.io/v1';
  return { file, write: (...resources) => writeFileSync(file, JSON.stringify({ kind, apiVersion, resources })) };
}

function key(provider: string, name: string, length = 32): object {
  return { [provider]: { keys: [{ name, secret: Buffer.alloc(length, name).toString('base64') }] } };
}

async function rawBytes(store: Store, place: string): Promise<string> {
  return Buffer.from((await store.get(place))!.value.bytes).toString('latin1');
}

test('what a cipher seals it opens, and a changed byte is found out', () => {
  const ciphers = [aesGcm(randomBytes(32), random), secretbox(randomBytes(32), random)];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (plain, at) => {
      for (const cipher of [...ciphers, aesCbc(randomBytes(16), random)]) {
        const sealed = cipher.seal(plain, secretKey);
        assert.deepEqual(Buffer.from(cipher.open(sealed, secretKey) as Uint8Array), Buffer.from(plain));
        const changed = Uint8Array.from(sealed);
        changed[at % changed.length]! ^= 1;
        if (ciphers.includes(cipher)) assert.throws(() => cipher.open(changed, secretKey));
      }
    }),
  );
});

test('what upstream sealed with AES-GCM is read, at the key that it was sealed for alone', () => {
  const [secret, nonce] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(Buffer.from(secretKey));
  const sealed = Buffer.concat([nonce, cipher.update('hello'), cipher.final(), cipher.getAuthTag()]);
  const opener = aesGcm(secret, random);
  assert.equal(Buffer.from(opener.open(sealed, secretKey) as Uint8Array).toString(), 'hello');
  assert.throws(() => opener.open(sealed, '/registry/secrets/default/b'), /message authentication failed/);
});

test('a wildcard covers a group, and the first entry that names a resource decides', async (t) => {
  const place = folder(t);
  place.write(
    { resources: ['secrets', 'configmaps.'], providers: [key('aesgcm', 'one')] },
    { resources: ['*.apps', '*.example.com'], providers: [key('secretbox', 'two')] },
    { resources: ['*.*'], providers: [key('aescbc', 'three')] },
  );
  const store = new MemoryStore();
  const environment = { clock: new VirtualClock(), random, log: silentLog };
  const encryption = await Encryption.open(store, environment, { configFile: place.file });
  const expected: Readonly<Record<string, string>> = {
    [secretKey]: 'k8s:enc:aesgcm:v1:one:',
    '/registry/configmaps/default/a': 'k8s:enc:aesgcm:v1:one:',
    '/registry/deployments/default/a': 'k8s:enc:secretbox:v1:two:',
    '/registry/example.com/lamps/default/a': 'k8s:enc:secretbox:v1:two:',
    '/registry/services/specs/default/a': 'k8s:enc:aescbc:v1:three:',
    '/registry/other.com/lamps/default/a': 'k8s:enc:aescbc:v1:three:',
  };
  for (const [at, prefix] of Object.entries(expected)) {
    await encryption.store.commit({ key: at, expectedRevision: 0, value: () => ({ bytes: Buffer.from('{}') }) });
    assert.ok((await rawBytes(store, at)).startsWith(prefix), at);
  }
  encryption.close();
});

test('keys are rotated without a restart, and migration seals old Secrets anew', async (t) => {
  const place = folder(t);
  place.write({ resources: ['secrets'], providers: [{ identity: {} }] });
  const api = await startApiServer({ encryption: { configFile: place.file } });
  const { client, store, environment } = api;
  const metadata = { name: 'a', namespace: 'default' };
  await client.create(Secret, { metadata, stringData: { word: 'plainly' } });
  assert.match(await rawBytes(store, secretKey), /^\{/);
  place.write({ resources: ['secrets'], providers: [key('secretbox', 'new'), { identity: {} }] });
  await environment.clock.advance(10_000);
  const unchanged = await client.get(Secret, metadata);
  await client.update(Secret, unchanged);
  const sealed = await rawBytes(store, secretKey);
  assert.ok(sealed.startsWith('k8s:enc:secretbox:v1:new:'));
  assert.ok(!sealed.includes('cGxhaW5seQ=='));
  assert.equal((await client.get(Secret, metadata)).data?.['word'], 'cGxhaW5seQ==');
  const { metadata: once } = await client.get(Secret, metadata);
  await client.update(Secret, await client.get(Secret, metadata));
  assert.equal((await client.get(Secret, metadata)).metadata.resourceVersion, once.resourceVersion, 'sealed once');
  await api.stop();
});

test('a Secret that was written a while ago is opened from the disk, and is not taken for one that was sealed otherwise', async (t) => {
  const { file, write } = folder(t);
  write({ resources: ['secrets'], providers: [key('aesgcm', 'one')] });
  const place = mkdtempSync(join(tmpdir(), 'proa-sealed-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const store = await SqliteStore.open(join(place, 'state.db'), { recent: { whole: 1, bytes: 1 } });
  const { client, server, stop } = await startApiServer({ store, encryption: { configFile: file } });
  const secret = { metadata: { name: 'a', namespace: 'default' }, data: { password: 'c2VjcmV0' } };
  const { metadata } = await client.create(Secret, secret);
  const stored = server.resources.of(Secret).storage!.cache.get('default/a')!.value;
  assert.equal(stored.origin.keepsBytes, true);
  assert.equal((await client.get(Secret, secret.metadata)).data?.['password'], 'c2VjcmV0');
  assert.doesNotMatch(await rawBytes(store, secretKey), /c2VjcmV0|password/);
  // An update that changes nothing writes nothing, unless the value has to be sealed anew.
  const unchanged = await client.update(Secret, secret);
  assert.equal(unchanged.metadata.resourceVersion, metadata.resourceVersion);
  await client.update(Secret, { ...secret, data: { password: 'bmV3' } });
  await store.compact(store.revision);
  assert.equal((stored.object as { data?: Record<string, string> }).data?.['password'], 'c2VjcmV0');
  await stop();
});

test('after a restart a Secret is opened from the disk whenever it is asked for, and migration still seals it anew', async (t) => {
  const { file, write } = folder(t);
  write({ resources: ['secrets'], providers: [key('aesgcm', 'one')] });
  const place = join(mkdtempSync(join(tmpdir(), 'proa-sealed-')), 'state.db');
  t.after(() => rmSync(dirname(place), { recursive: true, force: true }));
  const secret = { metadata: { name: 'a', namespace: 'default' }, data: { password: 'c2VjcmV0' } };
  const first = await startApiServer({ store: await SqliteStore.open(place), encryption: { configFile: file } });
  const { metadata } = await first.client.create(Secret, secret);
  await first.stop();

  write({ resources: ['secrets'], providers: [key('aesgcm', 'two'), key('aesgcm', 'one')] });
  const { client, server, store, stop } = await startApiServer({
    store: await SqliteStore.open(place),
    encryption: { configFile: file },
  });
  const stored = server.resources.of(Secret).storage!.cache.get('default/a')!.value;
  assert.equal(stored.origin.keepsBytes, true);
  assert.equal(stored.memory, undefined);
  assert.equal((await client.get(Secret, secret.metadata)).data?.['password'], 'c2VjcmV0');
  const before = await rawBytes(store, secretKey);
  const anew = await client.update(Secret, secret);
  assert.notEqual(anew.metadata.resourceVersion, metadata.resourceVersion);
  assert.match(await rawBytes(store, secretKey), /^k8s:enc:aesgcm:v1:two:/);
  assert.match(before, /^k8s:enc:aesgcm:v1:one:/);
  await stop();
});

test('a Secret whose key is lost makes reads fail in words, and nothing else', async (t) => {
  const place = folder(t);
  place.write({ resources: ['secrets'], providers: [key('aesgcm', 'lost')] });
  const first = await startApiServer({ encryption: { configFile: place.file } });
  await first.client.create(Secret, { metadata: { name: 'a', namespace: 'default' } });
  await first.client.create(ConfigMap, { metadata: { name: 'a', namespace: 'default' } });
  const sealed = (await first.store.get(secretKey))!.value.bytes;
  await first.stop();
  const store = new MemoryStore();
  await store.commit({ key: secretKey, expectedRevision: 0, value: () => ({ bytes: sealed }) });
  place.write({ resources: ['secrets'], providers: [key('aesgcm', 'other'), { identity: {} }] });
  // In the form that etcd has, too, the server starts and serves what it can read.
  const { client, stop } = await startApiServer({ encryption: { configFile: place.file }, store, upstreamForm: true });
  const broken = (error: unknown): boolean =>
    isReason(error, 'InternalError') &&
    error.message === `Internal error occurred: unable to transform key "${secretKey}": no matching prefix found`;
  await assert.rejects(client.get(Secret, { name: 'a', namespace: 'default' }), broken);
  await assert.rejects(client.list(Secret), broken);
  assert.equal((await client.list(ConfigMap, { namespace: 'kube-public' })).items.length, 0);
  await stop();
});

test('what nobody can read is deleted by who may, and only that', async (t) => {
  const place = folder(t);
  place.write({ resources: ['secrets'], providers: [key('aesgcm', 'other'), { identity: {} }] });
  const store = new MemoryStore();
  const sealed = Buffer.from('k8s:enc:aesgcm:v1:lost:unreadable');
  await store.commit({ key: secretKey, expectedRevision: 0, value: () => ({ bytes: sealed }) });
  const gates = { featureGates: { AllowUnsafeMalformedObjectDeletion: true } };
  const api = await startApiServer({ encryption: { configFile: place.file }, store, ...gates });
  const resource = api.server.resources.of(Secret);
  const remove = (name: string, groups: readonly string[]) =>
    api.server.execute({
      verb: 'delete',
      resource,
      subresource: '',
      namespace: 'default',
      name,
      user: { name: 'ann', groups },
      options: { deletion: { ignoreStoreReadErrorWithClusterBreakingPotential: true } },
      body: undefined,
      signal: new AbortController().signal,
      warn: () => {},
    });
  await api.client.create(Secret, { metadata: { name: 'fine', namespace: 'default' } });
  await assert.rejects(remove('a', []), (error) => isReason(error, 'Forbidden'));
  await assert.rejects(remove('fine', ['system:masters']), /exclusively used to delete corrupt object/);
  await remove('a', ['system:masters']);
  assert.equal((await api.client.list(Secret, { namespace: 'default' })).items.length, 1);
  await api.stop();
});

test('a KMS plugin seals one seed, and is asked again only for its new key', async (t) => {
  const place = folder(t);
  const plugin = await startPlugin(join(place.file, '..', 'kms.sock'));
  t.after(() => plugin.stop());
  const kms = { apiVersion: 'v2', name: 'box', endpoint: plugin.endpoint };
  place.write({ resources: ['secrets'], providers: [{ kms }] });
  const { client, store, environment, stop, server } = await startApiServer({ encryption: { configFile: place.file } });
  for (const name of ['a', 'b', 'c'])
    await client.create(Secret, { metadata: { name, namespace: 'default' }, stringData: { name } });
  assert.deepEqual(plugin.calls, ['Status', 'Encrypt']);
  assert.ok((await rawBytes(store, secretKey)).startsWith('k8s:enc:kms:v2:box:'));
  plugin.keyId = 'second';
  await environment.clock.advance(60_000);
  const stale = () =>
    server.registry.isStale(secretKey, server.resources.of(Secret).storage!.cache.get('default/a')!.value);
  while (!stale()) await environment.clock.advance(0);
  await client.update(Secret, await client.get(Secret, { name: 'a', namespace: 'default' }));
  assert.match(await rawBytes(store, secretKey), /second/);
  assert.equal(server.encryption?.problem, undefined);
  const other = await startApiServer({ encryption: { configFile: place.file }, store: await copy(store) });
  assert.equal((await other.client.list(Secret, { namespace: 'default' })).items.length, 3);
  assert.equal(plugin.calls.filter((call) => call === 'Decrypt').length, 1, 'one for the seed');
  await other.stop();
  await stop();
});

test('while the KMS plugin is away Secrets are not written, and everything else is', async (t) => {
  const place = folder(t);
  const kms = { apiVersion: 'v2', name: 'box', endpoint: `unix://${join(place.file, '..', 'nobody.sock')}` };
  place.write({ resources: ['secrets'], providers: [{ kms }] });
  const { client, server, stop } = await startApiServer({ encryption: { configFile: place.file } });
  assert.ok(server.encryption?.problem !== undefined);
  await assert.rejects(client.create(Secret, { metadata: { name: 'a', namespace: 'default' } }));
  await client.create(ConfigMap, { metadata: { name: 'a', namespace: 'default' } });
  await stop();
});

/** The stored bytes alone, as another process would find them. */
async function copy(store: Store): Promise<MemoryStore> {
  const result = new MemoryStore();
  const range = await store.range('/registry/');
  assert.ok(range.outcome === 'read');
  for (const { key: at, value } of range.entries)
    await result.commit({ key: at, expectedRevision: 0, value: () => ({ bytes: value.bytes }) });
  return result;
}

/** A plugin that "encrypts" by turning every bit over. */
async function startPlugin(path: string) {
  const calls: string[] = [];
  const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);
  const plugin = {
    keyId: 'first',
    calls,
    endpoint: `unix://${path}`,
    stop: () => server.forceShutdown(),
  };
  const answers: Readonly<Record<string, (request: Buffer) => Buffer>> = {
    Status: () =>
      encodeFields([
        [1, Buffer.from('v2')],
        [2, Buffer.from('ok')],
        [3, Buffer.from(plugin.keyId)],
      ]),
    Encrypt: (request) =>
      encodeFields([
        [1, turned(bytesOf(decodeFields(request), 1))],
        [2, Buffer.from(plugin.keyId)],
      ]),
    Decrypt: (request) => encodeFields([[1, turned(bytesOf(decodeFields(request), 1))]]),
  };
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  const coding = {
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  const service = Object.fromEntries(
    Object.keys(answers).map((name) => [name, { path: `/v2.KeyManagementService/${name}`, ...coding }]),
  );
  const methods = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      name,
      (call: { readonly request: Buffer }, done: (error: null, value: Buffer) => void) => {
        calls.push(name);
        done(null, answer(call.request));
      },
    ]),
  );
  server.addService(service, methods);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  return plugin;
}
