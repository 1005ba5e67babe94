import { defineThings, thingsOf } from './defined.ts';
import type { Step } from './sequence.ts';

const configMaps = '/api/v1/namespaces/listed/configmaps';
const group = 'listing.example';
const things = thingsOf(group).replace('/default/', '/listed/');
const places = [configMaps, things];

/** Where a page of each goes on, and what its last object has for a version. */
const tokens: Readonly<Record<string, string>> = { [configMaps]: '<page>', [things]: '<otherPage>' };
const versions: Readonly<Record<string, string>> = { [configMaps]: '<version>', [things]: '<otherVersion>' };

type Query = Readonly<Record<string, string | number | undefined>>;

function asked(place: string, query: Query): Step {
  const parameters = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${value}`));
  const path = parameters.length === 0 ? place : `${place}?${parameters.join('&')}`;
  return { what: path, method: 'GET', path };
}

function* lists(place: string): Generator<Step> {
  const pages = [undefined, tokens[place], 'bad'];
  for (const resourceVersion of [undefined, '', '0', '1', versions[place], 'x'])
    for (const resourceVersionMatch of [undefined, 'Exact', 'NotOlderThan', 'bad'])
      for (const limit of [undefined, '2'])
        for (const page of pages) yield asked(place, { resourceVersion, resourceVersionMatch, limit, continue: page });
  for (const limit of ['-1', '0', 'x', '1.5', '99999999999999999999']) yield asked(place, { limit });
}

/** What means something to a list, or nothing to anybody. */
const others: readonly string[] = [
  'sendInitialEvents=true',
  'allowWatchBookmarks=true',
  'timeoutSeconds=x',
  'timeoutSeconds=0',
  'watch=false',
  'watch=0',
  'labelSelector=a',
  'labelSelector=!a',
  'labelSelector=a%20in%20(b,c)',
  'labelSelector=a%20in',
  'labelSelector=,',
  'fieldSelector=metadata.name=a',
  'fieldSelector=metadata.name!=a',
  'fieldSelector=metadata.namespace=listed',
  'fieldSelector=x',
  'fieldSelector=x=y',
  'fieldSelector==',
  'fieldSelector=metadata.name=a,metadata.name=b',
  'resourceVersion=x',
  'resourceVersion=0&resourceVersion=x',
  'resourceVersionMatch=Exact',
  'limit=1&limit=2',
  'unknown=1',
];

function* watches(place: string): Generator<Step> {
  const watch = { watch: 'true', timeoutSeconds: 1 };
  // Where a watch is to begin with what there is now, the official server needs a newer etcd than there may be.
  for (const resourceVersion of ['0', versions[place], 'x'])
    for (const resourceVersionMatch of [undefined, 'NotOlderThan', 'Exact'])
      for (const allowWatchBookmarks of resourceVersion === '0' ? [undefined] : [undefined, 'true'])
        yield asked(place, { ...watch, resourceVersion, resourceVersionMatch, allowWatchBookmarks });
  yield asked(place, { ...watch, continue: 'x' });
  for (const resourceVersionMatch of [undefined, 'Exact', 'bad'])
    for (const sendInitialEvents of ['true', 'false', 'x'])
      yield asked(place, { ...watch, resourceVersionMatch, sendInitialEvents });
  for (const other of ['limit=1', 'limit=x', 'labelSelector=a%3Db', 'fieldSelector=metadata.name%3Da'])
    yield asked(place, { ...watch, resourceVersion: 0, [other.split('=')[0]!]: other.slice(other.indexOf('=') + 1) });
}

/** One object is read once, whatever else is asked for. */
const named: readonly string[] = ['watch=true&timeoutSeconds=1', 'watch=x', 'limit=x', 'resourceVersionMatch=bad'];

const forms = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];
const inForms = (path: string): readonly Step[] =>
  forms.flatMap((form) =>
    ['', '&includeObject=None', '&includeObject=Object'].map((include) => ({
      what: `${path}${include} as ${form}`,
      method: 'GET',
      path: `${path}${include}`,
      accept: `application/json;as=${form};v=v1;g=meta.k8s.io`,
    })),
  );

const made = (place: string, name: string, labels = {}, keeps: Step['keeps'] = {}): Step => ({
  what: `prepare ${place} ${name}`,
  method: 'POST',
  path: place,
  body: {
    ...(place === things ? { apiVersion: `${group}/v1`, kind: 'Thing' } : {}),
    metadata: { name, labels },
  },
  keeps,
});

/** Lists and watches with everything that they may be asked for. */
export const listing: readonly Step[] = [
  { what: 'prepare a namespace', method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'listed' } } },
  defineThings(group),
  made(configMaps, 'a', { a: 'b' }),
  made(configMaps, 'b', { a: 'c' }),
  made(configMaps, 'c', {}, { version: 'metadata.resourceVersion' }),
  made(things, 'a', { a: 'b' }),
  made(things, 'b', { a: 'c' }),
  made(things, 'c', {}, { otherVersion: 'metadata.resourceVersion' }),
  { ...asked(configMaps, { limit: 2 }), keeps: { page: 'metadata.continue' } },
  { ...asked(things, { limit: 2 }), keeps: { otherPage: 'metadata.continue' } },
  ...places.flatMap((place) => [
    ...lists(place),
    ...others.flatMap((query) => [asked(`${place}?${query}`, {}), asked(`${place}/a?${query}`, {})]),
    ...inForms(`${place}?limit=2`),
  ]),
  ...places.flatMap((place) => [
    ...watches(place),
    ...inForms(`${place}?watch=true&timeoutSeconds=1&resourceVersion=0`),
  ]),
  ...places.flatMap((place) => named.map((query) => asked(`${place}/a?${query}`, {}))),
];
