/** Run by services.test.ts, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { after, before, test } from 'node:test';
import type { Client } from '#client/client.ts';
import { createInformers } from '#client/informers.ts';
import { EndpointSlice, Service } from '#kinds/generated/handles.ts';
import type { ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { ensureDnsService } from '#network/dns/service.ts';
import { removeNodeNetwork, startNodeNetwork } from '#network/node-network.ts';
import { removeServiceTable } from '#network/services/kernel.ts';
import { startRealApiServer } from '../cluster.ts';
import { machineEnvironment } from '../machine.ts';
import { ask, type Question } from './ask.ts';
import { ip, type Neighbour, run, startNeighbour } from './namespaces.ts';

const nodeAddress = '192.168.50.1';
const pods: Neighbour[] = [];
let outside: Neighbour;
let server: Awaited<ReturnType<typeof startRealApiServer>>;
let client: Client;
let router: { stop(): Promise<void> };
const environment = machineEnvironment();
const forever = new AbortController().signal;
const network = {
  podRange: '10.244.0.0/24',
  serviceRange: '10.96.0.0/16',
  dnsAddress: '10.96.0.10',
  clusterDomain: 'cluster.local',
  nodeAddress,
};

before(async () => {
  await ip('link', 'set', 'lo', 'up');
  // As Docker leaves a machine.
  await run('iptables', ['-P', 'FORWARD', 'DROP']);
  await run('iptables', ['-A', 'FORWARD', '-i', 'h-outside', '-j', 'ACCEPT']);
  outside = await startNeighbour({ name: 'outside', address: '192.168.50.2', gateway: nodeAddress });
  for (const index of [2, 3, 4]) {
    pods.push(await startNeighbour({ name: `pod${index}`, address: `10.244.0.${index}`, gateway: '10.244.0.1' }));
  }
  server = await startRealApiServer(environment);
  client = server.client;
  await ensureDnsService(client, network.dnsAddress, forever);
  router = await startRouter();
});

after(async () => {
  await router.stop();
  await removeNodeNetwork(network, forever);
  for (const neighbour of [...pods, outside]) neighbour.stop();
  await server.stop();
});

async function startRouter(): Promise<{ stop(): Promise<void> }> {
  const stop = new AbortController();
  const informers = createInformers({ client, environment });
  const running = informers.run(stop.signal);
  const { ended } = await startNodeNetwork({ ...network, informers, environment, nodeName: 'node' }, stop.signal);
  return {
    async stop() {
      stop.abort();
      await Promise.all([ended, running]);
    },
  };
}

/** Creates a service on port 80 (TCP and UDP) with these pods behind it; resolves with its cluster IP. */
async function createService(
  name: string,
  members: readonly Neighbour[],
  spec: Partial<ServiceSpec> = {},
): Promise<string> {
  const metadata = { name, namespace: 'default' };
  const ports = [
    { name: 'tcp', port: 80, protocol: 'TCP' },
    { name: 'udp', port: 80, protocol: 'UDP' },
  ];
  const service = await client.create(Service, { metadata, spec: { ports, ...spec } });
  await client.create(EndpointSlice, slice(name, members));
  return service.spec!.clusterIP!;
}

function slice(name: string, members: readonly Neighbour[]) {
  return {
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [
      { name: 'tcp', port: 8080, protocol: 'TCP' },
      { name: 'udp', port: 8080, protocol: 'UDP' },
    ],
    endpoints: members.map(({ address }) => ({ addresses: [address], nodeName: 'node', conditions: { ready: true } })),
  };
}

async function setMembers(name: string, members: readonly Neighbour[]): Promise<void> {
  await client.update(EndpointSlice, slice(name, members));
}

/** Asks until the answer is as wanted: rules follow the API within milliseconds, but not at once. */
async function eventually(wanted: (answer: string) => boolean, question: () => Promise<string>): Promise<string> {
  let answer = '';
  for (let attempt = 0; attempt < 100; attempt++) {
    answer = await question();
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`the last answer was: ${answer}`);
}

const answered = (answer: string): boolean => answer.includes(' ');
const tcp = (address: string, port = 80): Question => ({ protocol: 'tcp', address, port });
const udp = (address: string, port = 80): Question => ({ protocol: 'udp', address, port });

async function many(count: number, question: () => Promise<string>): Promise<ReadonlySet<string>> {
  const answers = new Set<string>();
  for (let index = 0; index < count; index++) answers.add(await question());
  return answers;
}

test('a cluster IP reaches all endpoints from pods and from the node, and pods see one another', async () => {
  const address = await createService('web', pods.slice(0, 2));
  await eventually(answered, () => pods[2]!.ask(tcp(address)));
  const fromPod = await many(30, () => pods[2]!.ask(tcp(address)));
  assert.deepEqual([...fromPod].sort(), ['pod2 10.244.0.4', 'pod3 10.244.0.4']);
  const fromNode = await many(30, () => ask(tcp(address)));
  assert.deepEqual(new Set([...fromNode].map((answer) => answer.split(' ')[0])), new Set(['pod2', 'pod3']));
  assert.match(await pods[2]!.ask(udp(address)), /^pod[23] 10\.244\.0\.4$/);
  assert.match(await ask(udp(address)), /^pod[23] /);
});

test('a pod reaches itself through its service', async () => {
  const address = await createService('self', [pods[0]!]);
  await eventually(answered, () => pods[0]!.ask(tcp(address)));
  assert.match(await pods[0]!.ask(tcp(address)), /^pod2 10\.244\.0\.1$/);
});

test('what has no endpoint, no port or no service at all is refused at once and never leaves the node', async () => {
  const address = await createService('empty', []);
  const web = await createService('one-port', [pods[0]!]);
  await eventually(answered, () => pods[2]!.ask(tcp(web)));
  for (const asker of [pods[2]!, { ask }, outside]) {
    assert.equal(await asker.ask(tcp(address)), 'ECONNREFUSED');
    assert.equal(await asker.ask(tcp(web, 81)), 'ECONNREFUSED');
    assert.equal(await asker.ask(tcp('10.96.77.77')), 'ECONNREFUSED');
  }
});

test('a removed service refuses connections', async () => {
  const address = await createService('brief', [pods[0]!]);
  await eventually(answered, () => pods[2]!.ask(tcp(address)));
  await client.delete(Service, { namespace: 'default', name: 'brief' });
  await eventually(
    (answer) => answer === 'ECONNREFUSED',
    () => pods[2]!.ask(tcp(address)),
  );
});

test('a node port answers at the node, with the source replaced unless the policy is Local', async () => {
  const ports = [{ name: 'tcp', port: 80, protocol: 'TCP', nodePort: 30080 }];
  await createService('node-port', [pods[0]!], { type: 'NodePort', ports });
  await eventually(answered, () => outside.ask(tcp(nodeAddress, 30080)));
  assert.equal(await outside.ask(tcp(nodeAddress, 30080)), 'pod2 10.244.0.1');
  assert.match(await ask(tcp(nodeAddress, 30080)), /^pod2 /);
  assert.match(await pods[1]!.ask(tcp(nodeAddress, 30080)), /^pod2 /);
  const patch = { type: 'merge', body: { spec: { externalTrafficPolicy: 'Local' } } } as const;
  await client.patch(Service, { namespace: 'default', name: 'node-port' }, patch);
  await eventually(
    (answer) => answer === 'pod2 192.168.50.2',
    () => outside.ask(tcp(nodeAddress, 30080)),
  );
  await setMembers('node-port', []);
  await eventually(
    (answer) => answer === 'ECONNREFUSED',
    () => outside.ask(tcp(nodeAddress, 30080)),
  );
});

test('a load balancer answers at its address, for the sources that it allows, and so do external IPs', async () => {
  const ports = [{ name: 'tcp', port: 8000, protocol: 'TCP' }];
  const spec = {
    type: 'LoadBalancer',
    ports,
    externalIPs: ['192.168.50.99'],
    loadBalancerSourceRanges: ['192.168.50.0/24'],
  };
  await createService('balanced', [pods[0]!], spec);
  const ref = { namespace: 'default', name: 'balanced' };
  const ingress = { status: { loadBalancer: { ingress: [{ ip: nodeAddress, ipMode: 'VIP' }] } } };
  await client.patch(Service, ref, { type: 'merge', body: ingress }, { subresource: 'status' });
  await eventually(answered, () => outside.ask(tcp(nodeAddress, 8000)));
  assert.equal(await outside.ask(tcp('192.168.50.99', 8000)), 'pod2 10.244.0.1');
  const narrow = { spec: { loadBalancerSourceRanges: ['192.168.60.0/24'] } };
  await client.patch(Service, ref, { type: 'merge', body: narrow });
  await eventually(
    (answer) => answer === 'ETIMEDOUT',
    () => outside.ask(tcp(nodeAddress, 8000)),
  );
});

test('a client with affinity stays with its endpoint until that is gone', async () => {
  const address = await createService('sticky', pods.slice(0, 3), { sessionAffinity: 'ClientIP' });
  const first = await eventually(answered, () => outside.ask(tcp(address)));
  assert.deepEqual([...(await many(15, () => outside.ask(tcp(address))))], [first]);
  const left = pods.filter(({ name }) => !first.startsWith(name));
  await setMembers('sticky', left);
  const second = await eventually(
    (answer) => answered(answer) && answer !== first,
    () => outside.ask(tcp(address)),
  );
  assert.deepEqual([...(await many(15, () => outside.ask(tcp(address))))], [second]);
});

test('a UDP client that never pauses moves on when its endpoint is gone', async () => {
  const address = await createService('datagrams', [pods[0]!]);
  const question = { ...udp(address), fromPort: 5555 };
  await eventually(
    (answer) => answer.startsWith('pod2'),
    () => pods[2]!.ask(question),
  );
  await setMembers('datagrams', [pods[1]!]);
  await eventually(
    (answer) => answer.startsWith('pod3'),
    () => pods[2]!.ask(question),
  );
});

test('endpoints that only drain serve while there is no other', async () => {
  const address = await createService('draining', [pods[0]!, pods[1]!]);
  const draining = slice('draining', [pods[0]!, pods[1]!]);
  const conditions = { ready: false, serving: true, terminating: true };
  await client.update(EndpointSlice, {
    ...draining,
    endpoints: draining.endpoints.map((endpoint, index) => (index === 0 ? { ...endpoint, conditions } : endpoint)),
  });
  await eventually(
    (answer) => answer.startsWith('pod3'),
    () => pods[2]!.ask(tcp(address)),
  );
  assert.equal((await many(10, () => pods[2]!.ask(tcp(address)))).size, 1);
  await client.update(EndpointSlice, {
    ...draining,
    endpoints: draining.endpoints.slice(0, 1).map((endpoint) => ({ ...endpoint, conditions })),
  });
  await eventually(
    (answer) => answer.startsWith('pod2'),
    () => pods[2]!.ask(tcp(address)),
  );
});

test('a restart loses no connection, and rules that vanished are made anew', async () => {
  const address = await createService('steady', [pods[0]!]);
  await eventually(answered, () => pods[2]!.ask(tcp(address)));
  let restarting = true;
  const asking = (async () => {
    const answers = new Set<string>();
    while (restarting) answers.add(await pods[2]!.ask(tcp(address)));
    return answers;
  })();
  await router.stop();
  router = await startRouter();
  restarting = false;
  assert.deepEqual([...(await asking)], ['pod2 10.244.0.4']);

  await router.stop();
  await removeServiceTable('proa', forever);
  router = await startRouter();
  assert.equal(await pods[2]!.ask(tcp(address)), 'pod2 10.244.0.4');
});

test('pods and the node resolve names of services at the DNS address, which no rule touches', async () => {
  const address = await createService('named', [pods[0]!]);
  await eventually(answered, () => pods[2]!.ask(tcp(address)));
  const name = 'named.default.svc.cluster.local';
  assert.match(
    await pods[2]!.run('busybox', 'nslookup', name, network.dnsAddress),
    new RegExp(`Address:\\s+${address}`),
  );
  const resolver = new Resolver();
  resolver.setServers([network.dnsAddress]);
  assert.deepEqual(await resolver.resolve4(name), [address]);
  await assert.rejects(resolver.resolve4('named.other.svc.cluster.local'), { code: 'ENOTFOUND' });
});
