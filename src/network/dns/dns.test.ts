import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  RECURSION_DESIRED,
  type RecordType,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Service } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { Forwarder } from './forwarder.ts';
import { addressOfReverseName, answerClusterQuestion, type NameSource } from './records.ts';
import { type AnswerQuestion, serveDns } from './server.ts';

const zone = 'cluster.local';
const environment = { clock: systemClock({ keepAlive: true }), random: seededRandom(1), log: silentLog };

const services: readonly Service[] = [
  {
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      clusterIP: '10.96.0.7',
      clusterIPs: ['10.96.0.7', 'fd00::7'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    },
  },
  { metadata: { name: 'db', namespace: 'shop' }, spec: { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] } },
  { metadata: { name: 'none', namespace: 'shop' }, spec: { clusterIP: 'None' } },
  { metadata: { name: 'out', namespace: 'shop' }, spec: { type: 'ExternalName', externalName: 'example.org' } },
];
const slices: readonly EndpointSlice[] = [
  {
    metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.0.6'] },
      { addresses: ['10.244.0.9'], hostname: 'db-9', conditions: { ready: false } },
    ],
  },
];
const source: NameSource = {
  service: (namespace, name) =>
    services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (_, name) => slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name),
  hasNamespace: (name) => name === 'shop',
  servicesAt: (address) => services.filter(({ spec }) => spec?.clusterIPs?.includes(address)),
  slicesAt: (address) =>
    slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(address))),
};

function lookup(name: string, type: RecordType = 'A'): unknown {
  const answer = answerClusterQuestion({ name, type, class: 'IN' }, zone, source);
  if (answer === undefined) return 'not ours';
  return answer.code === 'NXDOMAIN'
    ? 'no such name'
    : answer.answers.map((record) => ('data' in record ? record.data : undefined));
}

test('services have the addresses of their families, by any spelling', () => {
  assert.deepEqual(lookup('web.shop.svc.cluster.local'), ['10.96.0.7']);
  assert.deepEqual(lookup('Web.Shop.SVC.cluster.local', 'AAAA'), ['fd00::7']);
  assert.deepEqual(lookup('web.shop.svc.cluster.local', 'MX'), []);
  assert.deepEqual(lookup('_http._tcp.web.shop.svc.cluster.local', 'SRV'), [
    { priority: 0, weight: 100, port: 80, target: 'web.shop.svc.cluster.local' },
  ]);
});

test('headless services have the addresses of ready endpoints, each with a name of its own', () => {
  assert.deepEqual(lookup('db.shop.svc.cluster.local'), ['10.244.0.5', '10.244.0.6']);
  assert.deepEqual(lookup('db-0.db.shop.svc.cluster.local'), ['10.244.0.5']);
  assert.deepEqual(lookup('10-244-0-6.db.shop.svc.cluster.local'), ['10.244.0.6']);
  assert.equal(lookup('db-9.db.shop.svc.cluster.local'), 'no such name');
  assert.equal(lookup('none.shop.svc.cluster.local'), 'no such name');
  assert.deepEqual(lookup('_sql._tcp.db.shop.svc.cluster.local', 'SRV'), [
    { priority: 0, weight: 50, port: 5432, target: 'db-0.db.shop.svc.cluster.local' },
    { priority: 0, weight: 50, port: 5432, target: '10-244-0-6.db.shop.svc.cluster.local' },
  ]);
});

test('what the search path makes of an outer name is denied at once, and outer names are for others', () => {
  assert.equal(lookup('example.org.shop.svc.cluster.local'), 'no such name');
  assert.equal(lookup('example.org.svc.cluster.local'), 'no such name');
  assert.equal(lookup('example.org.cluster.local'), 'no such name');
  assert.equal(lookup('web.other.svc.cluster.local'), 'no such name');
  assert.deepEqual(lookup('shop.svc.cluster.local'), []);
  assert.deepEqual(lookup('svc.cluster.local'), []);
  assert.equal(lookup('example.org'), 'not ours');
});

test('pods have names made of their addresses, and addresses have names', () => {
  assert.deepEqual(lookup('10-244-0-5.shop.pod.cluster.local'), ['10.244.0.5']);
  assert.equal(lookup('10-244-0-500.shop.pod.cluster.local'), 'no such name');
  assert.equal(lookup('10-244-0-5.other.pod.cluster.local'), 'no such name');
  assert.deepEqual(lookup('7.0.96.10.in-addr.arpa', 'PTR'), ['web.shop.svc.cluster.local']);
  assert.deepEqual(lookup('5.0.244.10.in-addr.arpa', 'PTR'), ['db-0.db.shop.svc.cluster.local']);
  assert.equal(lookup('1.1.1.1.in-addr.arpa', 'PTR'), 'not ours');
  const digits = '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f';
  assert.equal(addressOfReverseName(`${digits}.ip6.arpa`), 'fd00::7');
});

test('an external name is an alias whose target has to be sought', () => {
  const answer = answerClusterQuestion({ name: 'out.shop.svc.cluster.local', type: 'A' }, zone, source);
  assert.equal(answer?.alias, 'example.org');
  assert.deepEqual(lookup('out.shop.svc.cluster.local'), ['example.org']);
});

const address = (count: number): AnswerQuestion => {
  const answers = Array.from(
    { length: count },
    (_, index): Answer => ({
      name: 'big.test',
      type: 'A',
      class: 'IN',
      ttl: 60,
      data: `10.0.${index >> 8}.${index & 255}`,
    }),
  );
  return async () => ({ code: 'NOERROR', authoritative: true, answers, authorities: [], additionals: [] });
};

async function serve(answer: AnswerQuestion): Promise<number> {
  const stop = new AbortController();
  const { port } = await serveDns({ address: '127.0.0.1', port: 0, answer, clock: environment.clock }, stop.signal);
  after(() => stop.abort());
  return port;
}

function askUdp(port: number, message: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('message', (answer) => {
      socket.close();
      resolve(answer);
    });
    socket.send(message, port, '127.0.0.1');
  });
}

const query = (udpPayloadSize?: number): Buffer =>
  encode({
    id: 77,
    type: 'query',
    flags: RECURSION_DESIRED,
    questions: [{ name: 'big.test', type: 'A' }],
    additionals:
      udpPayloadSize === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  });

test('an answer that does not fit a datagram is cut and says so; over TCP it is whole', async () => {
  const port = await serve(address(300));
  for (const [size, limit] of [
    [undefined, 512],
    [4096, 1232],
  ] as const) {
    const bytes = await askUdp(port, query(size));
    const packet = decode(bytes) as DecodedPacket;
    assert.ok(bytes.length <= limit && bytes.length > limit - 64, `${bytes.length} bytes`);
    assert.ok(((packet.flags ?? 0) & TRUNCATED_RESPONSE) !== 0);
  }
  const whole = await new Promise<DecodedPacket>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(decode(received.subarray(2)));
    });
    const message = query();
    socket.write(Buffer.from([0]));
    socket.write(Buffer.concat([Buffer.from([message.length]), message]));
  });
  assert.equal(whole.answers?.length, 300);
});

test('nonsense is refused, and answers and fragments get no answer', async () => {
  const port = await serve(address(1));
  const broken = Buffer.concat([query().subarray(0, 12), Buffer.from([63, 1])]);
  assert.equal((await askUdp(port, broken))[3]! & 0x0f, 1);
  const update = query();
  update[2] = 5 << 3;
  assert.equal((await askUdp(port, update))[3]! & 0x0f, 4);
});

test('other names are asked of the next resolver when one fails, over TCP when long, and remembered', async () => {
  let asked = 0;
  const long = address(300);
  const port = await serve((question, signal) => {
    asked++;
    return long(question, signal);
  });
  // The port that nobody listens on refuses at once.
  const forwarder = new Forwarder(
    [
      { address: '127.0.0.1', port: 9 },
      { address: '127.0.0.1', port },
    ],
    environment,
  );
  const { signal } = new AbortController();
  const question = { name: 'big.test', type: 'A', class: 'IN' } as const;
  const [first, second] = await Promise.all([forwarder.ask(question, signal), forwarder.ask(question, signal)]);
  assert.equal(first.answers.length, 300);
  assert.equal(first, second);
  // Once over UDP, once over TCP.
  assert.equal(asked, 2);
  assert.equal((await forwarder.ask({ ...question, name: 'BIG.test' }, signal)).answers.length, 300);
  assert.equal(asked, 2);
  assert.equal((await new Forwarder([], environment).ask(question, signal)).code, 'SERVFAIL');
});
