import type { Json, JsonObject } from '#machinery/meta.ts';
import { applied, patched, type Step, type Subject } from './sequence.ts';

const group = 'sequences.example.com';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const collectionIn = (version: string): string => `/apis/${group}/${version}/namespaces/default/wids`;
const inVersion = (version: string): Subject => ({
  collection: collectionIn(version),
  apiVersion: `${group}/${version}`,
  kind: 'Wid',
  name: 'x',
});
const [first, second] = [inVersion('v1'), inVersion('v2')];

interface VersionOptions {
  readonly storage: boolean;
  readonly served?: boolean;
  /** A field that no other version has. */
  readonly own?: string;
}

function version(name: string, { storage, served = true, own }: VersionOptions): JsonObject {
  const text = { type: 'string' };
  const list = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: { type: 'object', required: ['name'], properties: { name: text, value: text } },
  };
  const fields = { a: text, n: { type: 'integer' }, list, ...(own === undefined ? {} : { [own]: text }) };
  const properties = {
    spec: { type: 'object', properties: fields },
    status: { type: 'object', properties: { s: text } },
  };
  const schema = { openAPIV3Schema: { type: 'object', properties } };
  return { name, storage, served, schema, subresources: { status: {} } } as unknown as JsonObject;
}

const defined = (versions: readonly JsonObject[]): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `wids.${group}` },
  spec: { group, scope: 'Namespaced', names: { plural: 'wids', kind: 'Wid' }, versions },
});

const redefined = (what: string, versions: readonly JsonObject[]): Step => ({
  what,
  method: 'merge',
  path: `${definitions}/wids.${group}`,
  body: { spec: { versions } },
  until: collectionIn('v2'),
});

const odd = `{"apiVersion":"${group}/v2","kind":"Wid","metadata":{"name":"odd"},"spec":{"a":"1","a":"2"},"foo":1,"bar":{"a":1,"a":2}}`;
const oddPatch = '[{"op":"add","path":"/spec","value":{"q":1,"a":"x","a":"y"}}]';

const force = { force: true };
const by = '?fieldManager=u';

/** Who owns what of a custom kind whose versions have different fields, and come and go. */
export const customVersions: readonly Step[] = [
  {
    what: 'a definition',
    method: 'POST',
    path: definitions,
    body: defined([version('v1', { storage: true, own: 'old' }), version('v2', { storage: false, own: 'new' })]),
    until: collectionIn('v2'),
  },
  applied('v1 creates', first, 'a', { spec: { a: '1', n: 1, old: 'o', list: [{ name: 'p', value: '1' }] } }),
  applied('a field that v1 does not have', second, 'b', { spec: { a: '2', new: 'n' } }),
  applied('the same by force', second, 'b', { spec: { a: '2', new: 'n' } }, force),
  patched('an update at v1', first, 'merge', { spec: { n: 5 } }, by),
  patched('an update at v2', second, 'merge', { spec: { n: 6, list: [{ name: 'q', value: 'z' }] } }, by),
  applied('the first moves to v2', second, 'a', { spec: { list: [{ name: 'p', value: '2' }] } }, force),
  applied('and back', first, 'a', { spec: { a: '9' } }, force),
  patched('status at v1', { ...first, name: 'x/status' }, 'merge', { status: { s: 'x' } }, by),
  applied('status at v2', second, 's', { spec: { a: 'q' }, status: { s: 'y' } }, { ...force, subresource: 'status' }),
  redefined('v1 is not served', [version('v1', { storage: true, served: false }), version('v2', { storage: false })]),
  applied('the same value at v2', second, 'b', { spec: { a: '9' } }),
  applied('another by force', second, 'b', { spec: { a: '8' } }, force),
  patched('an update at v2', second, 'merge', { spec: { n: 7 } }, by),
  redefined('v2 is stored', [version('v1', { storage: false }), version('v2', { storage: true })]),
  applied('v1 once more', first, 'a', { spec: { a: '10', n: 3 } }, force),
  patched(
    'nothing is stored at v1',
    { collection: definitions, name: `wids.${group}/status`, apiVersion: '', kind: '' },
    'merge',
    {
      status: { storedVersions: ['v2'] },
    },
  ),
  redefined('v1 is gone', [version('v2', { storage: true })]),
  applied('a conflict with nobody', second, 'b', { spec: { a: '9' } }),
  patched('an update of nothing', second, 'merge', {}, by),
  applied('by force', second, 'b', { spec: { a: '8' } }, force),
  patched('an update', second, 'merge', { spec: { n: 8 } }, by),
  applied('the first at v2', second, 'a', { spec: { list: [{ name: 'z' }] } }, force),
  applied('null where there is none', second, 'd', { spec: { n: null } } as unknown as JsonObject, force),
  applied('null where there is one', second, 'd', { spec: { a: null } } as unknown as JsonObject, force),
  applied('a null object', second, 'd', { spec: null } as unknown as JsonObject, force),
  applied('a null in a new object', { ...second, name: 'y' }, 'd', { spec: { a: null } } as unknown as JsonObject),
  { what: 'odd fields', method: 'POST', path: `${second.collection}?dryRun=All`, body: odd },
  patched('odd fields', second, 'json', [{ op: 'add', path: '/spec', value: { q: 1 } }], '?dryRun=All'),
  patched('odd fields twice', second, 'json', oddPatch, '?dryRun=All'),
  patched('a null without apply', second, 'merge', { spec: { list: [{ name: 'z', value: null }] } }, by),
];
