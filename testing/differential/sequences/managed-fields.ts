import type { Json } from '#machinery/meta.ts';
import { patched, type Step, type Subject } from './sequence.ts';

const map: Subject = {
  collection: '/api/v1/namespaces/default/configmaps',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'tracked',
};
const dry = '?dryRun=All';
const entry = (more: object): Json => ({
  operation: 'Update',
  manager: 'z',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:data': { 'f:a': {} } },
  ...more,
});
const said = (what: string, managedFields: Json, more: object = {}): Step =>
  patched(what, map, 'merge', { metadata: { managedFields }, ...more } as Json, dry);
const change = { data: { b: 'c' } };
const written = (what: string, method: 'PUT' | 'POST', metadata: object, data: object): Step => ({
  what,
  method,
  path: `${map.collection}${method === 'PUT' ? `/${map.name}` : ''}${dry}`,
  body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: map.name, ...metadata }, data } as Json,
});

/** What becomes of the record of owners when clients write to it. */
export const managedFields: readonly Step[] = [
  { what: 'a map', method: 'POST', path: map.collection, body: { metadata: { name: map.name }, data: { a: 'b' } } },
  said('an empty list', []),
  said('an empty list and a change', [], change),
  said('one empty entry', [{}]),
  said('one empty entry and a change', [{}], change),
  said('two empty entries', [{}, {}], change),
  said('null', null, change),
  said('an unknown operation', [{ operation: 'x' }], change),
  said('another owner', [entry({})]),
  said('another owner and a change', [entry({})], change),
  said('an owner through another kind', [entry({ apiVersion: 'apps/v1' })], change),
  patched(
    'an empty list by JSON patch',
    map,
    'json',
    [{ op: 'replace', path: '/metadata/managedFields', value: [] }],
    dry,
  ),
  written('a PUT that says nothing', 'PUT', {}, { a: 'c' }),
  written('a PUT with an empty list', 'PUT', { managedFields: [] }, { a: 'c' }),
  written('a creation with an owner', 'POST', { name: 'other', managedFields: [entry({})] }, { a: 'c' }),
  written('a creation with an empty list', 'POST', { name: 'other', managedFields: [] }, { a: 'c' }),
  patched('they are forgotten', map, 'merge', { metadata: { managedFields: [{}] } }),
  patched('an update after that', map, 'merge', change, '?fieldManager=u'),
  {
    what: 'an apply after that',
    method: 'apply',
    path: `${map.collection}/${map.name}?fieldManager=a`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: map.name }, data: { a: 'b', n: null } },
  },
  patched('an update after the apply', map, 'merge', { data: { b: 'd' } }, '?fieldManager=u'),
];
