import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const name = 'operated';
const at = `${collection}/${name}?dryRun=All`;
const finalizers = '/metadata/finalizers';

/** One operation each. */
const operations: readonly Json[] = [
  { op: 'add', path: '/metadata/annotations/x.y~1y', value: 'z' },
  { op: 'add', path: '/metadata/annotations/m~0n', value: 'z' },
  { op: 'replace', path: '/data/none', value: 'z' },
  { op: 'replace', path: '/data/a', value: 'z' },
  { op: 'replace', path: '/data/a' },
  { op: 'remove', path: '/data/none' },
  { op: 'test', path: '/data/a', value: 'b' },
  { op: 'test', path: '/data/a', value: 'no' },
  { op: 'test', path: '/data/a' },
  { op: 'test', path: '/data/none', value: null },
  { op: 'test', path: '/data/none', value: 'x' },
  { op: 'move', from: '/data/a', path: '/data/b' },
  { op: 'move', from: '/data/none', path: '/data/b' },
  { op: 'move', path: '/data/a' },
  { op: 'copy', from: '/data/a', path: '/data/b' },
  { op: 'copy', from: '/data/none', path: '/data/b' },
  { op: 'copy', from: '/data', path: '/metadata/labels' },
  ...['-', '0', '2', '3', '-1'].map((index) => ({ op: 'add', path: `${finalizers}/${index}`, value: 'a.b/e' })),
  ...['-1', '5', 'x'].map((index) => ({ op: 'remove', path: `${finalizers}/${index}` })),
  { op: 'replace', path: `${finalizers}/0`, value: 'a.b/z' },
  { op: 'add', path: '/data/q/r', value: 'x' },
  { op: 'add', path: '', value: {} },
  { op: 'replace', path: '', value: {} },
  { op: 'remove', path: '' },
  { op: 'add', path: '/', value: 1 },
  { op: 'add', path: 'data', value: {} },
  { op: 'add', path: '/data/x' },
  { op: 'add', path: '/data/x', value: null },
  { op: 'add', path: '/data/x', value: { a: 1 } },
  { op: 'add', path: '/data', value: null },
  { op: 'add', path: '/status', value: {} },
  { op: 'add', path: '/metadata/resourceVersion', value: '1' },
  { op: 'remove', path: '/metadata' },
  { op: 'remove', path: '/binaryData' },
  { op: 'remove', path: '/kind' },
  { op: 'replace', path: '/metadata/name', value: 'x' },
  { op: 'replace', path: '/immutable', value: true },
  { op: 'bogus', path: '/data' },
  { op: 7, path: '/x' },
  { op: 'add', path: 7, value: 1 },
  { op: 'add', value: 1 },
  { path: '/data' },
  {},
  7,
  null,
  'x',
];

const twice = '{"x":"y","x":"z"}';
const reachesInside = '{"op":"add","path":"/data/w","value":"v"}';
const labels = '/metadata/labels';

/** Members that no operation has, and members that stand twice, in places that the next operation reaches or not. */
const odd: readonly string[] = [
  '[{"op":"add","op":"add","path":"/data/x","value":"y","foo":1}]',
  `[{"op":"add","path":"/data","value":${twice}}]`,
  `[{"op":"add","path":"/data","value":${twice}},${reachesInside}]`,
  `[{"op":"add","path":"/metadata/annotations","value":{"a":"b","x.y/y":"1","x.y/y":"2"}}]`,
  `[{"op":"add","path":"${labels}","value":${twice}},{"op":"copy","from":"${labels}","path":"/data"}]`,
  `[{"op":"add","path":"${labels}","value":${twice}},{"op":"move","from":"${labels}","path":"/data"}]`,
  `[{"op":"add","path":"/more","value":${twice}}]`,
  `[{"op":"add","path":"/metadata/ownerReferences","value":[{"odd":1,"uid":"u","uid":"u","name":"n","kind":"k","apiVersion":"v1"}]}]`,
  `[{"op":"add","path":"/metadata/ownerReferences","value":[{"uid":"u","uid":"u","odd":1,"name":"n","kind":"k","apiVersion":"v1"}]}]`,
];

/** JSON patches that fit the object, and others. */
export const jsonPatches: readonly Step[] = [
  {
    what: 'a map',
    method: 'POST',
    path: collection,
    body: {
      metadata: { name, annotations: { l: 'x', 'x.y/y': 'q' }, finalizers: ['a.b/c', 'a.b/d'] },
      data: { a: 'b' },
    },
  },
  ...operations.map(
    (operation): Step => ({ what: JSON.stringify(operation), method: 'json', path: at, body: [operation] }),
  ),
  ...['', '&fieldValidation=Strict', '&fieldValidation=Ignore'].flatMap((query) =>
    odd.map((body): Step => ({ what: `${body}${query}`, method: 'json', path: at + query, body })),
  ),
];
