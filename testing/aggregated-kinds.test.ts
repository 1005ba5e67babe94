import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { APIService, ConfigMap, Namespace, ResourceQuota } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { accessOf } from './access.ts';
import { FlowerServer, group, Rose } from './aggregated-server.ts';
import { until } from './e2e/proa.ts';
import { type HttpCluster, startHttpCluster } from './http-cluster.ts';

describe('kinds of an aggregated server', () => {
  let cluster: HttpCluster;
  let flowers: FlowerServer;

  before(async () => {
    cluster = await startHttpCluster({ nodes: 0 });
    flowers = await FlowerServer.start();
    await flowers.register(cluster.client);
    await available('True');
  });

  after(async () => {
    await cluster.stop();
    flowers.stop();
  });

  const available = (wanted: 'True' | 'False') =>
    until(
      async () => (await cluster.client.get(APIService, { name: `v1.${group}` })).status?.conditions?.[0]?.status,
      (status) => status === wanted,
    );

  const owned = (name: string, { metadata }: ConfigMapLike) => ({
    metadata: {
      name,
      namespace: metadata.namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: metadata.name ?? '', uid: metadata.uid ?? '' }],
    },
  });
  type ConfigMapLike = {
    readonly metadata: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
  };

  const isGone = (name: string): Promise<unknown> =>
    cluster.client.get(Namespace, { name }).then(
      ({ status }) => status,
      (error: unknown) => isReason(error, 'NotFound'),
    );

  test('their objects go with their owners, also where the owner is of this server', async () => {
    const owner = await cluster.client.create(ConfigMap, { metadata: { name: 'bed', namespace: 'default' } });
    await cluster.client.create(Rose, owned('red', owner as ConfigMapLike));
    assert.ok(flowers.roses.has('default/red'));
    await cluster.client.delete(ConfigMap, { name: 'bed', namespace: 'default' });
    await until(
      async () => flowers.roses.size,
      (size) => size === 0,
    );
  });

  test('they count in quotas, and go with their namespace, one by one where the server knows no other way', async () => {
    const { client } = cluster;
    const namespace = 'garden';
    await client.create(Namespace, { metadata: { name: namespace }, spec: {} });
    const hard = { [`count/roses.${group}`]: '5' };
    await client.create(ResourceQuota, { metadata: { name: 'few', namespace }, spec: { hard } });
    for (const name of ['one', 'two']) await client.create(Rose, { metadata: { name, namespace } });
    await until(
      async () => (await client.get(ResourceQuota, { name: 'few', namespace })).status?.used?.[`count/roses.${group}`],
      (used) => used === '2',
    );
    await client.delete(Namespace, { name: namespace });
    await until(
      () => isGone(namespace),
      (gone) => gone === true,
    );
    assert.equal(flowers.roses.size, 0);
  });

  test('connections are upgraded through to the server, in the name of who asks', async () => {
    const { host, port, ca, cert, key } = accessOf(cluster.kubeconfig);
    for (const protocol of ['websocket', 'SPDY/3.1']) {
      const socket = connect({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] });
      await once(socket, 'secureConnect');
      const path = `/apis/${group}/v1/namespaces/default/roses/red/talk`;
      socket.write(`GET ${path} HTTP/1.1\r\nhost: proa\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n\r\n`);
      const [head] = (await once(socket, 'data')) as [Buffer];
      assert.match(head.toString(), /^HTTP\/1\.1 101 /);
      socket.write('is anybody there?');
      const [echo] = (await once(socket, 'data')) as [Buffer];
      assert.equal(echo.toString(), 'is anybody there?');
      socket.destroy();
    }
    assert.deepEqual(flowers.upgrades, [
      { user: 'kubernetes-admin', protocol: 'websocket' },
      { user: 'kubernetes-admin', protocol: 'SPDY/3.1' },
    ]);
  });

  test('a server that hangs is told of, holds the namespaces that may have objects there, and nothing else', async () => {
    const { client } = cluster;
    flowers.hangs = true;
    await flowers.touch(client);
    await available('False');
    const refused = await cluster.kubectl(['get', 'roses', '--request-timeout=5s']);
    assert.notEqual(refused.code, 0);
    const owner = await client.create(ConfigMap, { metadata: { name: 'owner', namespace: 'default' } });
    await client.create(ConfigMap, owned('dependent', owner as ConfigMapLike));
    await client.delete(ConfigMap, { name: 'owner', namespace: 'default' });
    await until(
      () =>
        client
          .get(ConfigMap, { name: 'dependent', namespace: 'default' })
          .catch((error) => isReason(error, 'NotFound')),
      (gone) => gone === true,
    );
    await client.create(Namespace, { metadata: { name: 'held' }, spec: {} });
    await client.delete(Namespace, { name: 'held' });
    const held = await until(
      async () => (await client.get(Namespace, { name: 'held' })).status?.conditions,
      (conditions) => conditions?.some(({ status }) => status === 'True') === true,
    );
    const failure = held?.find(({ type }) => type === 'NamespaceDeletionDiscoveryFailure');
    assert.equal(failure?.reason, 'DiscoveryFailed');
    assert.match(failure?.message ?? '', /stale GroupVersion discovery: flowers\.example\.org\/v1$/);
    flowers.hangs = false;
    await flowers.touch(client);
    await until(
      () => isGone('held'),
      (gone) => gone === true,
    );
  });
});
