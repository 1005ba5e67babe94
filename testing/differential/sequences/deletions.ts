import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const pods = `${core}/pods`;
const maps = `${core}/configmaps`;
const account = 'deletions';

const pod = (name: string, metadata: object = {}, spec: object = {}): Step => ({
  what: `prepare ${name}`,
  method: 'POST',
  path: pods,
  body: {
    metadata: { name, ...metadata },
    spec: {
      serviceAccountName: account,
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'i' }],
      ...spec,
    },
  } as Json,
  keeps: { [`uid${name.at(-1)}`]: 'metadata.uid' },
});

/** A deletion, and what it leaves. */
const deleted = (path: string, options?: string): readonly Step[] => [
  {
    what: `delete ${path} with ${options}`,
    method: 'DELETE',
    path,
    ...(options === undefined ? {} : { body: options, contentType: 'application/json' }),
  },
  { what: `what ${options} left`, method: 'GET', path },
];

const ofPods: readonly Step[] = [
  {
    what: 'prepare an account',
    method: 'POST',
    path: `${core}/serviceaccounts`,
    body: { metadata: { name: account } },
  },
  pod('leaving-1'),
  ...[
    '{"preconditions":{"uid":"x"}}',
    '{"preconditions":{"resourceVersion":"1"}}',
    '{"preconditions":{"uid":"<uid1>","resourceVersion":"1"}}',
    '{"gracePeriodSeconds":-5,"dryRun":["All"]}',
    '{"propagationPolicy":"Foreground","dryRun":["All"]}',
    '{"orphanDependents":true,"dryRun":["All"]}',
    '{"preconditions":{"uid":"<uid1>"}}',
  ].flatMap((options) => deleted(`${pods}/leaving-1`, options)),
  pod('leaving-2', {}, { nodeName: 'n1' }),
  ...[20, 30, 10, -1, 0].flatMap((seconds) => deleted(`${pods}/leaving-2`, `{"gracePeriodSeconds":${seconds}}`)),
  pod('leaving-3', {}, { nodeName: 'n1', terminationGracePeriodSeconds: 5 }),
  ...[undefined, '{"gracePeriodSeconds":3}', '{"gracePeriodSeconds":1}'].flatMap((options) =>
    deleted(`${pods}/leaving-3`, options),
  ),
  pod('leaving-4', { finalizers: ['a.b/c'] }),
  ...['{}', '{"gracePeriodSeconds":0}'].flatMap((options) => deleted(`${pods}/leaving-4`, options)),
  ...[
    { finalizers: ['a.b/c', 'd.e/f'] },
    { labels: { x: 'y' } },
    { deletionTimestamp: null },
    { deletionGracePeriodSeconds: 3 },
    { finalizers: [] },
    { finalizers: [] },
  ].map(
    (metadata): Step => ({
      what: `on its way: ${JSON.stringify(metadata)}`,
      method: 'merge',
      path: `${pods}/leaving-4`,
      body: { metadata } as Json,
    }),
  ),
];

const policies = ['Foreground', 'Orphan', 'Background'];
const made = (what: string, metadata: object): Step => ({
  what,
  method: 'POST',
  path: `${maps}?dryRun=All`,
  body: { metadata } as Json,
});

/** Deletions with all that may be asked of them, and what holds an object up. */
export const deletions: readonly Step[] = [
  ...ofPods,
  { what: 'prepare a map', method: 'POST', path: maps, body: { metadata: { name: 'leaving', finalizers: ['a.b/c'] } } },
  ...policies.flatMap((policy) => deleted(`${maps}/leaving`, `{"propagationPolicy":"${policy}"}`)),
  ...[['kubernetes'], ['orphan', 'foregroundDeletion'], ['A_'], [''], ['a/b/c'], ['a.b/c', 'a.b/c']].map((finalizers) =>
    made(`finalizers ${finalizers}`, { name: 'held-up', finalizers }),
  ),
  made('owners', {
    name: 'owned-map',
    ownerReferences: [
      { apiVersion: 'v1', kind: 'X', name: 'x', uid: '' },
      { apiVersion: 'a/b/c', kind: '', name: '', uid: 'y', controller: true },
      { apiVersion: 'v1', kind: 'Event', name: 'x', uid: 'z', controller: true },
    ],
  }),
];
