import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const account = 'places';

const deprecated: readonly string[] = [
  '/api/v1/endpoints',
  '/api/v1/componentstatuses',
  `${core}/endpoints/none`,
  '/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas',
];

const evicted = (what: string, query: string, deleteOptions?: object, name = 'evicted'): Step => ({
  what: `evict: ${what}`,
  method: 'POST',
  path: `${core}/pods/${name}/eviction${query}`,
  body: { metadata: { name }, ...(deleteOptions === undefined ? {} : { deleteOptions }) } as Json,
});

const references: readonly string[] = [
  '{}',
  '{"kind":"Pod"}',
  '{"kind":"Pod","apiVersion":"v1"}',
  '{"kind":"Pod","apiVersion":"v1","name":"none"}',
  '{"name":"none"}',
  '{"kind":"Secret","apiVersion":"v1","name":"none","uid":"x"}',
  '{"kind":"Node","apiVersion":"v1","name":"none"}',
  '{"kind":"X","apiVersion":"v1","name":"none"}',
];

const tokens: readonly string[] = [
  ...references.map((reference) => `{"spec":{"audiences":["a"],"boundObjectRef":${reference}}}`),
  '{"spec":{"expirationSeconds":1}}',
  '{"spec":{"expirationSeconds":-1}}',
  '{"spec":{"expirationSeconds":99999999999}}',
  '{"metadata":{"name":"other"}}',
  '{"metadata":{"namespace":"other"}}',
];

const rules = (what: string, spec: Json, headers: Step['headers'] = {}): Step => ({
  what: `rules ${what}`,
  method: 'POST',
  path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
  body: { spec },
  headers,
});

/** Places that are neither of one object nor of one kind, and subresources that only do something. */
export const places: readonly Step[] = [
  { what: 'where the server is', method: 'GET', path: '/api' },
  { what: 'begin to count anew', method: 'DELETE', path: '/metrics' },
  { what: 'no document', method: 'GET', path: '/openapi/v3/apis/places.example' },
  ...deprecated.map((path): Step => ({ what: `${path} as nothing`, method: 'GET', path, accept: 'image/png' })),
  { what: 'created as nothing', method: 'POST', path: `${core}/endpoints`, accept: 'image/png', body: {} },
  { what: 'created from nothing', method: 'POST', path: `${core}/endpoints`, contentType: 'image/png', body: {} },
  {
    what: 'prepare an account',
    method: 'POST',
    path: `${core}/serviceaccounts`,
    body: { metadata: { name: account } },
  },
  {
    what: 'prepare a pod',
    method: 'POST',
    path: `${core}/pods`,
    body: {
      metadata: { name: 'evicted' },
      spec: {
        serviceAccountName: account,
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'i' }],
      },
    },
  },
  ...['?dryRun=bad', '?dryRun=', '?dryRun=All&dryRun=All'].map((query) => evicted(query, query)),
  evicted('another dry run in its body', '?dryRun=All', { dryRun: ['bad'] }),
  evicted('no dry run that there is', '', { dryRun: ['bad'] }),
  evicted('no dry run, of nothing', '', { dryRun: ['bad'] }, 'none'),
  evicted('no policy that there is', '', { propagationPolicy: 'bad' }),
  evicted('less than no time', '?dryRun=All', { gracePeriodSeconds: -1 }),
  evicted('two policies', '?dryRun=All', { orphanDependents: true, propagationPolicy: 'Orphan' }),
  ...tokens.map(
    (body): Step => ({
      what: `token ${body}`,
      method: 'POST',
      path: `${core}/serviceaccounts/${account}/token`,
      contentType: 'application/json',
      body,
    }),
  ),
  rules('of the administrator', { namespace: 'default' }),
  rules('of somebody', { namespace: 'default' }, { 'impersonate-user': 'u' }),
  rules('of a group', { namespace: 'default' }, { 'impersonate-user': 'u', 'impersonate-group': ['g', 'h'] }),
  rules('nowhere', {}),
];
