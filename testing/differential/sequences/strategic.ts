import type { Json, JsonObject } from '#machinery/meta.ts';
import { patched, type Step, type Subject } from './sequence.ts';

const deployment: Subject = {
  collection: '/apis/apps/v1/namespaces/default/deployments',
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'merged',
};

const created: Json = {
  apiVersion: deployment.apiVersion,
  kind: deployment.kind,
  metadata: { name: deployment.name, labels: { a: 'b' }, finalizers: ['x.y/a', 'x.y/b', 'x.y/c'] },
  spec: {
    replicas: 1,
    strategy: { type: 'RollingUpdate' },
    selector: { matchLabels: { a: 'b' } },
    template: {
      metadata: { labels: { a: 'b' } },
      spec: {
        containers: [
          {
            name: 'one',
            image: 'i',
            env: ['A', 'B', 'C'].map((name) => ({ name, value: name })),
            ports: [{ containerPort: 80 }],
          },
          { name: 'two', image: 'j', command: ['a', 'b'] },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
        nodeSelector: { x: 'y' },
      },
    },
  },
};

const asked = (what: string, body: Json): Step => patched(what, deployment, 'strategic', body, '?dryRun=All');
const pod = (what: string, spec: Json): Step => asked(what, { spec: { template: { spec } } });
const containers = (what: string, items: Json, more: JsonObject = {}): Step =>
  pod(what, { containers: items, ...more });
const volume = (what: string, more: JsonObject): Step => pod(what, { volumes: [{ name: 'v', ...more }] });
const metadata = (what: string, value: JsonObject): Step => asked(what, { metadata: value });
const order = '$setElementOrder/containers';
const without = '$deleteFromPrimitiveList';

const items: readonly Step[] = [
  containers('an item is deleted', [{ $patch: 'delete', name: 'two' }]),
  containers('an item that is not there is deleted', [{ $patch: 'delete', name: 'zz' }]),
  containers('an item without key is deleted', [{ $patch: 'delete' }]),
  containers('the list is replaced', [{ $patch: 'replace' }, { name: 'three', image: 'k' }]),
  containers('the list is replaced by nothing', [{ $patch: 'replace' }]),
  containers('the list is to be merged', [{ $patch: 'merge', name: 'one' }]),
  containers('nobody knows what to do with an item', [{ $patch: 'bogus', name: 'one' }]),
  containers('an item without key', [{ image: 'q' }]),
  containers('an item whose key is null', [{ name: null, image: 'q' }]),
  containers('an item whose key is a number', [{ name: 7, image: 'q' }]),
  containers('a number among items', [7]),
  containers('null among items', [null]),
  containers('text among items', [{ name: 'one' }, 'x']),
  containers('a list among items', [[{ name: 'one' }]]),
  containers('no items', []),
  containers('a list inside that is one value', [{ name: 'two', command: ['z'] }]),
  containers('a map where a list belongs', { name: 'x' }),
  containers('one item twice', [
    { name: 'one', image: 'p' },
    { name: 'one', image: 'q' },
  ]),
  containers('an item deleted and said', [
    { $patch: 'delete', name: 'one' },
    { name: 'one', image: 'q' },
  ]),
  containers('items of items', [
    {
      name: 'one',
      env: [
        { name: 'B', $patch: 'delete' },
        { name: 'D', value: '4' },
      ],
      '$setElementOrder/env': [{ name: 'D' }, { name: 'C' }, { name: 'A' }],
    },
  ]),
  containers('a port by its key alone', [{ name: 'one', ports: [{ containerPort: 80, protocol: 'UDP' }] }]),
];

const orders: readonly Step[] = [
  containers('an order', [{ name: 'one', image: 'q' }], { [order]: [{ name: 'two' }, { name: 'one' }] }),
  pod('an order alone', { [order]: [{ name: 'two' }, { name: 'one' }] }),
  containers('an order without the item', [{ name: 'one', image: 'q' }], { [order]: [{ name: 'two' }] }),
  containers('an order that is no list', [], { [order]: 'x' }),
  containers('an order that is null', [], { [order]: null }),
  containers('an order without keys', [{ name: 'one' }], { [order]: [{ x: 1 }] }),
  containers('an order of numbers', [{ name: 'one' }], { [order]: [7] }),
  pod('an order of an unknown field', { '$setElementOrder/nothing': ['a'] }),
  metadata('an order of texts', { '$setElementOrder/finalizers': ['x.y/c', 'x.y/a'] }),
];

const texts: readonly Step[] = [
  metadata('texts are added', { finalizers: ['x.y/d', 'x.y/a'] }),
  metadata('a text is deleted', { [`${without}/finalizers`]: ['x.y/a'] }),
  metadata('a text that is not there is deleted', { [`${without}/finalizers`]: ['zz'] }),
  metadata('what to delete is no list', { [`${without}/finalizers`]: 'x.y/a' }),
  metadata('what to delete is null', { [`${without}/finalizers`]: null }),
  metadata('texts are deleted from a map', { [`${without}/labels`]: ['a'] }),
  metadata('nobody says from what to delete', { [without]: ['a'] }),
  metadata('deleted, ordered and added', {
    [`${without}/finalizers`]: ['x.y/a'],
    '$setElementOrder/finalizers': ['x.y/c', 'x.y/b', 'x.y/d'],
    finalizers: ['x.y/d'],
  }),
  metadata('a map among texts', { finalizers: [{ a: 1 }] }),
  metadata('a number among texts', { finalizers: ['a', 7] }),
];

const maps: readonly Step[] = [
  pod('a map is to be merged', { $patch: 'merge', hostNetwork: true }),
  pod('nobody knows what to do with a map', { $patch: 'bogus' }),
  pod('a number says what to do with a map', { $patch: 7 }),
  pod('null says what to do with a map', { $patch: null }),
  pod('a map is deleted', { nodeSelector: { $patch: 'delete' } }),
  asked('a map is replaced', { spec: { template: { metadata: { $patch: 'replace', labels: { a: 'b', c: 'd' } } } } }),
  asked('the whole is deleted', { $patch: 'delete' }),
  pod('an unknown directive', { $nonsense: 1 }),
  pod('a list where a map belongs', [{ name: 'x' }]),
  pod('text where a map belongs', 'x'),
  pod('null where a map belongs', null),
  pod('null where a list belongs', { volumes: null }),
  pod('a new map with null in it', { affinity: { nodeAffinity: null } }),
  volume('some keys are kept', { $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }),
  volume('a key that is not kept', { $retainKeys: ['name'], hostPath: { path: '/x' } }),
  volume('keys that are no list', { $retainKeys: 'name', hostPath: { path: '/x' } }),
  volume('keys that are null', { $retainKeys: null, hostPath: { path: '/x' } }),
  asked('another strategy', { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
];

/** Strategic merge patches with every directive, used well and badly. */
export const strategic: readonly Step[] = [
  { what: 'a deployment', method: 'POST', path: deployment.collection, body: created },
  ...items,
  ...orders,
  ...texts,
  ...maps,
];
