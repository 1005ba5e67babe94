import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import fc from '#testing/properties.ts';
import { ElementTable } from './element-table.ts';
import { type ElementId, isRouted, planService } from './plan.ts';
import { staleFlows } from './routing.ts';

const here = { nodeName: 'here', ownAddresses: ['10.96.0.10'] };
const ids: readonly ElementId[] = ['services a', 'services b', 'endpoints a', 'hairpin x'];
const elementsArbitrary = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...ids), fc.constantFrom('1', '2', '')), { selector: ([id]) => id })
  .map((entries) => new Map(entries));

test('whatever owners want one after another, the differences add up to the wish of the oldest owner of each element', () => {
  const step = fc.tuple(fc.constantFrom('one', 'two', 'three'), elementsArbitrary, fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const table = new ElementTable();
      const kernel = new Map<ElementId, string>();
      const wishes = new Map<ElementId, Map<string, string>>();
      const apply = (): void => {
        const { removed, added } = table.take();
        for (const [id, value] of removed) assert.equal(kernel.get(id), value);
        for (const id of removed.keys()) kernel.delete(id);
        for (const [id, value] of added) {
          assert.ok(!kernel.has(id), `${id} is added twice`);
          kernel.set(id, value);
        }
      };
      for (const [owner, elements, takes] of steps) {
        for (const id of ids) {
          const owners = wishes.get(id) ?? new Map<string, string>();
          const wish = elements.get(id);
          if (wish === undefined) owners.delete(owner);
          else owners.set(owner, wish);
          wishes.set(id, owners);
        }
        table.set(owner, elements);
        if (takes) apply();
      }
      apply();
      for (const id of ids) assert.equal(kernel.get(id), wishes.get(id)?.values().next().value);
    }),
  );
});

const service: Service = {
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.7',
    clusterIPs: ['10.96.0.7', 'fd00::7'],
    externalTrafficPolicy: 'Local',
    ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }],
  },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }, { hostname: 'elsewhere' }] } },
};

function sliceOf(endpoints: EndpointSlice['endpoints']): EndpointSlice {
  return {
    metadata: { name: 'web-1', namespace: 'default' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    ...(endpoints && { endpoints }),
  };
}

test('a Local service sends outsiders to endpoints of this node only, and pods to all', () => {
  const slices = [
    sliceOf([
      { addresses: ['10.244.0.2'], nodeName: 'here', conditions: { ready: true } },
      { addresses: ['10.244.1.2'], nodeName: 'there' },
      { addresses: ['10.244.1.3'], nodeName: 'there', conditions: { ready: false } },
    ]),
  ];
  const { elements } = planService(service, slices, here);
  assert.deepEqual(Object.fromEntries([...elements].filter(([id]) => !id.startsWith('hairpin'))), {
    'services 10.96.0.7 . tcp . 80': 'goto pick_internal_2',
    'endpoints 10.96.0.7 . tcp . 80 . 0': '10.244.0.2 . 8080',
    'endpoints 10.96.0.7 . tcp . 80 . 1': '10.244.1.2 . 8080',
    'services 192.0.2.1 . tcp . 80': 'goto pick_local_1',
    'endpoints 192.0.2.1 . tcp . 80 . 131072': '10.244.0.2 . 8080',
    'services_inside 192.0.2.1 . tcp . 80': 'goto pick_shortcut_2',
    'endpoints 192.0.2.1 . tcp . 80 . 262144': '10.244.0.2 . 8080',
    'endpoints 192.0.2.1 . tcp . 80 . 262145': '10.244.1.2 . 8080',
    'node_ports tcp . 30080': 'goto pick_node_local_1',
    'node_port_endpoints tcp . 30080 . 131072': '10.244.0.2 . 8080',
  });
});

test('without a local endpoint a Local service drops what another node could serve, and refuses what none can', () => {
  const elsewhere = [sliceOf([{ addresses: ['10.244.1.2'], nodeName: 'there' }])];
  assert.equal(planService(service, elsewhere, here).elements.get('empty_node_ports tcp . 30080'), 'drop');
  const refused = planService(service, [], here).elements;
  assert.equal(refused.get('empty_node_ports tcp . 30080'), 'goto refuse');
  assert.equal(refused.get('empty_services 10.96.0.7 . tcp . 80'), 'goto refuse');
});

test('headless, external and foreign services are left alone', () => {
  const withSpec = (spec: Service['spec'], labels = {}) => ({ metadata: { name: 'a', labels }, ...(spec && { spec }) });
  assert.equal(isRouted(withSpec({ clusterIP: 'None' })), false);
  assert.equal(isRouted(withSpec({ type: 'ExternalName', externalName: 'example.org' })), false);
  assert.equal(
    isRouted(withSpec({ clusterIP: '10.96.0.1' }, { 'service.kubernetes.io/service-proxy-name': 'other' })),
    false,
  );
  assert.equal(isRouted(withSpec({ clusterIP: '10.96.0.1' })), true);
});

test('UDP flows are forgotten to endpoints that are gone, and to what had none before', () => {
  const frontend = (...endpoints: string[]) => [{ address: '10.96.0.7', port: 53, endpoints }];
  const flow = (endpoint: string | undefined) => ({ address: '10.96.0.7', port: 53, endpoint });
  assert.deepEqual(staleFlows(frontend('a', 'b'), frontend('b', 'c')), [flow('a')]);
  assert.deepEqual(staleFlows(frontend('a'), []), [flow('a')]);
  assert.deepEqual(staleFlows(frontend(), frontend('a')), [flow(undefined)]);
  assert.deepEqual(staleFlows([], frontend('a')), [flow(undefined)]);
  assert.deepEqual(staleFlows(frontend('a'), frontend('a')), []);
});
