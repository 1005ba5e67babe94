import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointSlice, Endpoints } from '#kinds/generated/handles.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { StoreLayer } from '#storage/store-layer.ts';
import { startApiServer } from '#testing/cluster.ts';
import { PublishedServer } from './kubernetes-endpoints.ts';

/** A store that several servers share. */
class SharedStore extends StoreLayer {
  override get expires(): boolean {
    return true;
  }
}

test('the kubernetes service leads to every server at its own port, also where two have one address, and to none that went', async () => {
  const store = new SharedStore(new MemoryStore());
  const { client, server, stop } = await startApiServer({ store });
  const published = [
    { address: '10.0.0.1', port: 6443 },
    { address: '10.0.0.2', port: 7443 },
    { address: '10.0.0.1', port: 7443 },
    { address: '10.0.0.3', port: 6443 },
  ].map((address) => new PublishedServer(server, address));
  for (const one of published) await one.publish();
  await published[0]!.publish();
  const endpoints = async (): Promise<readonly string[]> =>
    ((await client.get(Endpoints, { name: 'kubernetes', namespace: 'default' })).subsets ?? []).flatMap(
      ({ addresses = [], ports = [] }) => addresses.flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`)),
    );
  const slices = async (): Promise<Record<string, readonly string[]>> => {
    const { items } = await client.list(EndpointSlice, { namespace: 'default' });
    return Object.fromEntries(
      items.map((slice) => [
        `${slice.metadata.name} ${slice.ports?.[0]?.port}`,
        (slice.endpoints ?? []).flatMap(({ addresses }) => addresses),
      ]),
    );
  };
  assert.deepEqual(await endpoints(), ['10.0.0.1:6443', '10.0.0.3:6443', '10.0.0.1:7443', '10.0.0.2:7443']);
  assert.deepEqual(await slices(), {
    'kubernetes 6443': ['10.0.0.1', '10.0.0.3'],
    'kubernetes-7443 7443': ['10.0.0.1', '10.0.0.2'],
  });
  await published[1]!.withdraw();
  await published[2]!.withdraw();
  assert.deepEqual(await endpoints(), ['10.0.0.1:6443', '10.0.0.3:6443']);
  assert.deepEqual(await slices(), { 'kubernetes 6443': ['10.0.0.1', '10.0.0.3'] });
  await stop();
});
