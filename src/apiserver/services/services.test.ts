import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { IPAddress, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import { startApiServer } from '#testing/cluster.ts';
import { nodePortsOf } from './port-allocations.ts';
import { defaultNodePorts, parsePortRange, TakenPorts } from './port-range.ts';

const namespace = 'default';
const rangeKey = '/registry/ranges/servicenodeports';

function service(name: string, spec: object = {}): ServiceObject {
  return {
    metadata: { name, namespace },
    spec: { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
  } as ServiceObject;
}

async function portOf(client: Client, wanted: ServiceObject): Promise<number> {
  return nodePortsOf(await client.create(Service, wanted))[0]!;
}

describe('node ports', () => {
  test('the bitmap is one big-endian number whose bit 0 is the first port', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 30000, max: 32767 })), (ports) => {
        const taken = TakenPorts.none(defaultNodePorts);
        for (const port of ports) taken.take(port);
        const number = ports.reduce((sum, port) => sum | (1n << BigInt(port - 30000)), 0n);
        const hex = number === 0n ? '' : number.toString(16);
        const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
        assert.equal(taken.encode(), bytes.toString('base64'));
        const read = TakenPorts.decode(defaultNodePorts, taken.encode());
        assert.deepEqual([...read], [...ports].sort());
        for (const port of ports) read.release(port);
        assert.equal(read.encode(), '');
      }),
    );
  });

  test('are given out until none is left', () => {
    const range = parsePortRange('30000-30019');
    const taken = TakenPorts.none(range);
    const environment = { random: seededRandom(7) };
    for (let count = 0; count < range.size; count++) taken.take(taken.free(environment)!);
    assert.equal(taken.free(environment), undefined);
    assert.equal(new Set(taken).size, range.size);
  });

  test('two servers on one store that are asked at once never give out the same port or address', async () => {
    const first = await startApiServer({ seed: 3 });
    // The same random numbers: both find the same port free.
    const second = await startApiServer({ seed: 3, store: first.store });
    const made = await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        (index % 2 === 0 ? first : second).client.create(Service, service(`s${index}`)),
      ),
    );
    const unique = (values: readonly unknown[]) => assert.equal(new Set(values).size, values.length);
    unique(made.flatMap(nodePortsOf));
    unique(made.map(({ spec }) => spec.clusterIP));
    second.server.stop();
    await first.stop();
  });

  test('a port is one service’s over all protocols, and free again when its service lets go of it', async () => {
    const cluster = await startApiServer();
    const { client } = cluster;
    const asks = (name: string, protocol: string) =>
      service(name, { ports: [{ port: 53, protocol, nodePort: 30053 }] });
    const both = service('both', {
      ports: [
        { name: 'a', port: 53, protocol: 'UDP', nodePort: 30053 },
        { name: 'b', port: 53, protocol: 'TCP' },
      ],
    });
    const made = await client.create(Service, both);
    assert.deepEqual(nodePortsOf(made), [30053, 30053]);
    const refusal = /spec\.ports\[0\]\.nodePort: Invalid value: 30053: provided port is already allocated/;
    await assert.rejects(client.create(Service, asks('tcp', 'TCP')), refusal);
    await assert.rejects(
      client.create(Service, service('far', { ports: [{ port: 1, protocol: 'TCP', nodePort: 5 }] })),
      /provided port is not in the valid range. The range of valid ports is 30000-32767/,
    );
    const { spec } = made;
    const ports = spec.ports?.map(({ nodePort: _, ...port }) => port) ?? [];
    await client.update(Service, { ...made, spec: { ...spec, type: 'ClusterIP', ports } });
    assert.equal(await portOf(client, asks('tcp', 'TCP')), 30053);
    await client.delete(Service, { name: 'tcp', namespace });
    assert.equal(await portOf(client, asks('again', 'SCTP')), 30053);
    await cluster.stop();
  });

  test('what a service is refused for after it has been given ports and an address is free again', async () => {
    const cluster = await startApiServer();
    const { client } = cluster;
    const asked = { ports: [{ port: 80, protocol: 'TCP', nodePort: 30080 }], clusterIP: '10.96.0.80' };
    await assert.rejects(
      client.create(Service, service('bad', { ...asked, sessionAffinity: 'Perhaps' })),
      /spec\.sessionAffinity: Unsupported value: "Perhaps"/,
    );
    const made = await client.create(Service, service('good', asked));
    assert.deepEqual([made.spec.clusterIP, ...nodePortsOf(made)], ['10.96.0.80', 30080]);
    await cluster.stop();
  });

  test('what is wrong with families and addresses is told alone, before anything else is looked at', async () => {
    const cluster = await startApiServer();
    const wrong = { ports: [], ipFamilies: ['IPv6'], sessionAffinity: 'Perhaps' };
    const refusal = {
      message: /is invalid: spec\.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster$/,
    };
    await assert.rejects(cluster.client.create(Service, service('six', wrong)), refusal);
    await cluster.stop();
  });

  test('what a server left behind that died between two writes is found and free again', async () => {
    const cluster = await startApiServer();
    const { client, store, environment } = cluster;
    await client.create(Service, service('kept', { ports: [{ port: 80, protocol: 'TCP', nodePort: 30100 }] }));
    const spec = { parentRef: { group: '', resource: 'services', namespace, name: 'never-stored' } };
    const labels = { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };
    await client.create(IPAddress, { metadata: { name: '10.96.0.77', labels }, spec });
    await client.create(IPAddress, { metadata: { name: '10.96.0.78' }, spec });
    const kept = await client.get(Service, { name: 'kept', namespace });
    const asks = service('asks', { ports: [{ port: 80, protocol: 'TCP', nodePort: 30101 }] });
    await client.create(Service, asks);
    // Gone without a word to the allocator.
    const key = `/registry/services/specs/${namespace}/asks`;
    await store.commit({ key, expectedRevision: (await store.get(key))!.modRevision, value: undefined });
    await assert.rejects(client.create(Service, asks), /already allocated/);
    await client.delete(IPAddress, { name: kept.spec.clusterIP! });
    await environment.clock.advance(10 * 60_000);
    assert.equal(await portOf(client, asks), 30101);
    const addresses = (await client.list(IPAddress)).items.map(({ metadata }) => metadata.name);
    assert.ok(!addresses.includes('10.96.0.77'));
    assert.ok(addresses.includes('10.96.0.78'), 'what somebody else has claimed is not for the server to release');
    assert.ok(addresses.includes(kept.spec.clusterIP), 'the claim of a service that is there is made again');
    assert.ok((await store.get(rangeKey)) !== undefined);
    await cluster.stop();
  });
});
