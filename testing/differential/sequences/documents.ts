import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const name = 'documented';
const at = `${collection}/${name}?dryRun=All&fieldManager=x`;
const forced = `${at}&force=true`;
const configuration = (metadata: object, more: object = {}): Json =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data: { a: 'c' }, ...more }) as Json;

/** The same metadata by every kind of patch. */
const said = (what: string, metadata: object): readonly Step[] => [
  { what: `${what}, merged`, method: 'merge', path: at, body: { metadata, data: { a: 'c' } } as Json },
  { what: `${what}, applied`, method: 'apply', path: forced, body: configuration(metadata) },
];

const bodies: readonly string[] = ['[]', '7', '"x"', 'null', 'true', '{', '{"a":1,"a":2}', ''];
/** Where the official server tells what its reader of YAML thought of the text. */
const ownWords = new Set(['apply {', 'apply {"a":1,"a":2}']);

/** Fields that are unknown and fields that stand twice. */
const odd: readonly string[] = [
  '{"metadata":{"name":"x"},"data":{"a":"1","a":"2"},"foo":1}',
  '{"foo":1,"foo":2,"metadata":{"name":"x"},"data":{"a":"1","a":"2"},"metadata":{"name":"x","bar":{"x":1}},"zoo":1}',
];

const applyFields = (what: string, fields: Json): Step => ({
  what: `an apply with ${what}`,
  method: 'apply',
  path: `/api/v1/namespaces/default/services/${name}?dryRun=All&fieldManager=x`,
  body: { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: fields },
});

const unknown = { zoo: 1, metadata: { zoo: 1, abc: 2, labels: { a: 'b' } }, bar: 2, aaa: 1 };
const unknownOperations: Json = [
  { op: 'add', path: '/zoo', value: 1 },
  { op: 'add', path: '/abc', value: 1 },
  {
    op: 'add',
    path: '/metadata/ownerReferences',
    value: [{ zoo: 1, apiVersion: 'v1', kind: 'x', name: 'y', uid: 'z' }],
  },
];

const volumeClaims = '/api/v1/namespaces/default/persistentvolumeclaims';
const claim = (what: string, source: object): Step => ({
  what,
  method: 'POST',
  path: `${volumeClaims}?dryRun=All`,
  body: {
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...source },
  } as Json,
});

/** What a patch may be, and what it may make of an object. */
export const documents: readonly Step[] = [
  { what: 'a map', method: 'POST', path: collection, body: { metadata: { name }, data: { a: 'YQ==' } } },
  ...['A_b', '0', '-1', '1', '1.5', '', '99999999999999999999999'].flatMap((resourceVersion) =>
    said(`version ${resourceVersion}`, { resourceVersion }),
  ),
  ...said('another uid', { uid: '0' }),
  ...said('another namespace', { namespace: 'yy' }),
  ...said('another name and namespace', { name: 'zz', namespace: 'yy' }),
  ...said('another name', { name: 'zz' }),
  ...said('no name', { name: null }),
  ...said('another time of creation', { creationTimestamp: '2026-01-01T00:00:00Z' }),
  ...['Secret', 'ServiceAccount', 'Nonsense', '', null, 7].map(
    (kind): Step => ({ what: `kind ${kind}`, method: 'merge', path: at, body: { kind } as Json }),
  ),
  ...['apps/v1', 'x/y', 'a/b/c'].flatMap((apiVersion): Step[] => [
    { what: `version ${apiVersion}`, method: 'merge', path: at, body: { apiVersion } },
    { what: `version ${apiVersion}`, method: 'strategic', path: at, body: { apiVersion } },
    { what: `version ${apiVersion}`, method: 'apply', path: forced, body: configuration({}, { apiVersion }) },
  ]),
  ...bodies.flatMap((body) =>
    (['merge', 'json', 'strategic', 'apply'] as const)
      .filter((method) => !ownWords.has(`${method} ${body}`))
      .map((method): Step => ({ what: `${method} ${body}`, method, path: at, body })),
  ),
  ...['', '&fieldValidation=Strict'].flatMap((query) =>
    odd.map(
      (body): Step => ({ what: `${body}${query}`, method: 'POST', path: `${collection}?dryRun=All${query}`, body }),
    ),
  ),
  { what: 'a merge by force', method: 'merge', path: forced, body: {} },
  ...(['merge', 'strategic'] as const).map(
    (method): Step => ({ what: `fields that nobody knows, by ${method}`, method, path: at, body: unknown }),
  ),
  { what: 'fields that nobody knows, by operations', method: 'json', path: at, body: unknownOperations },
  claim('a source of no group', { dataSource: { kind: 'PersistentVolumeClaim', name: 'y' } }),
  claim('a reference to a source of no group', { dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'y' } }),
  applyFields('a port that is text', { ports: [{ port: 'x' }] }),
  applyFields('a port that is null', { ports: [{ port: null }] }),
  applyFields('a port too large', { ports: [{ port: 2 ** 31 }] }),
  applyFields('half a port', { ports: [{ port: 1.5 }] }),
  applyFields('a target that is a map', { ports: [{ port: 1, targetPort: {} }] }),
  applyFields('one port twice', { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] }),
  applyFields('a port without number', { ports: [{ name: 'x' }] }),
  applyFields('no ports at all', { ports: null }),
  applyFields('an unknown field', { prots: [] }),
];
