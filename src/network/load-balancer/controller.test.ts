import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runController } from '#client/controller.ts';
import { createInformers } from '#client/informers.ts';
import { Event, Service } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';
import { loadBalancerController } from './controller.ts';

const controller = loadBalancerController({ address: '192.0.2.7', reservedPorts: [6443] });

test('the machine’s address goes to the first service that asks for a port, and to the next when it is free', async () => {
  const { client, environment, stop } = await startApiServer();
  const end = new AbortController();
  const informers = createInformers({ client, environment });
  const running = [
    runController(controller, { client, informers, environment }, end.signal),
    informers.run(end.signal),
  ];
  const create = (name: string, port: number) =>
    client.create(Service, {
      metadata: { name, namespace: 'default' },
      spec: { type: 'LoadBalancer', ports: [{ port }] },
    });
  const ingress = async (name: string) =>
    (await client.get(Service, { namespace: 'default', name })).status?.loadBalancer?.ingress;
  const given = [{ ip: '192.0.2.7', ipMode: 'VIP' }];

  await create('first', 80);
  await environment.clock.advance(1000);
  await create('second', 80);
  await create('greedy', 6443);
  await environment.clock.advance(1000);
  assert.deepEqual(await ingress('first'), given);
  assert.equal(await ingress('second'), undefined);
  assert.equal(await ingress('greedy'), undefined);
  const { items } = await client.list(Event, { namespace: 'default' });
  assert.ok(items.some(({ message }) => message === 'port 80 of 192.0.2.7 is in use by service default/first'));

  const ref = { namespace: 'default', name: 'first' };
  await client.patch(Service, ref, { type: 'merge', body: { spec: { type: 'ClusterIP' } } });
  await environment.clock.advance(1000);
  assert.equal(await ingress('first'), undefined);
  assert.deepEqual(await ingress('second'), given);
  end.abort();
  await Promise.all(running);
  await stop();
});
