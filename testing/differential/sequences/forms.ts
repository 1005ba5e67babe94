import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const things = '/apis/forms.example/v1/namespaces/default/things';

const as = (kind: string, version = 'v1', subtype = 'json'): string =>
  `application/${subtype};as=${kind};v=${version};g=meta.k8s.io`;

/** What a client may accept: good, odd and impossible. */
const accepts: readonly string[] = [
  'image/png',
  'application/cbor',
  'application/*',
  'application/*;q=0.5,application/json;q=0.1',
  'garbage',
  as('PartialObjectMetadata'),
  as('PartialObjectMetadataList'),
  as('PartialObjectMetadata', 'v1beta1'),
  as('PartialObjectMetadataList', 'v1beta1'),
  as('Table', 'v1beta1'),
  as('Table', 'v2'),
  as('Table', 'v1', 'vnd.kubernetes.protobuf'),
  `${as('Table', 'v2')},application/json`,
  `${as('Table')},application/json`,
  as('Nothing'),
  'application/json;g=meta.k8s.io',
  'application/json;stream=watch',
  'application/json;stream=other',
  'application/json;pretty=1',
];

interface Place {
  readonly method: Step['method'];
  readonly path: string;
  readonly body?: Json;
}

const places: readonly Place[] = [
  { method: 'GET', path: `${core}/configmaps/formed` },
  { method: 'GET', path: `${core}/configmaps?labelSelector=forms` },
  { method: 'GET', path: `${core}/configmaps/none` },
  { method: 'GET', path: `${core}/replicationcontrollers/formed/scale` },
  { method: 'GET', path: `${things}/formed` },
  { method: 'GET', path: `${things}/formed/scale` },
  { method: 'GET', path: things },
  { method: 'GET', path: `${things}/none` },
  { method: 'GET', path: `${core}/nothings` },
  { method: 'GET', path: '/apis/nothing.example' },
  { method: 'GET', path: '/apis/apps' },
  { method: 'GET', path: '/apis/forms.example' },
  { method: 'POST', path: `${core}/configmaps`, body: { metadata: { name: 'formed' } } },
  { method: 'POST', path: `${core}/pods/none/binding`, body: {} },
  {
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } },
  },
];

const contentTypes: readonly string[] = [
  'image/png',
  'application/*',
  'application/json;x',
  'application/json;charset=utf-8',
  'Application/JSON',
  'application/merge-patch+json, x',
  'APPLICATION/merge-patch+json',
  'application/strategic-merge-patch+json',
];

const writes: readonly Place[] = [
  { method: 'POST', path: `${core}/configmaps?dryRun=All`, body: { metadata: { name: 'formed-too' } } },
  { method: 'PATCH', path: `${core}/configmaps/formed?dryRun=All`, body: { data: { a: 'b' } } },
  { method: 'PATCH', path: `${things}/formed?dryRun=All`, body: { spec: { replicas: 2 } } },
  { method: 'DELETE', path: `${core}/configmaps/none`, body: { dryRun: ['All'] } },
];

/** Bodies of a deletion that are no options of one, or odd ones. */
const deletions: readonly string[] = [
  'x',
  ' ',
  '{',
  '[]',
  '1',
  'null',
  '{"kind":1}',
  '{"kind":"ConfigMap"}',
  '{"kind":"ConfigMap","apiVersion":"v1"}',
  '{"kind":"Status","apiVersion":"v1"}',
  '{"kind":"ListOptions","apiVersion":"v1"}',
  '{"kind":"ListOptions","apiVersion":"meta.k8s.io/v1"}',
  '{"kind":"DeleteOptions","apiVersion":"apps/v1"}',
  '{"apiVersion":"nothing/v1"}',
  '{"gracePeriodSeconds":"a"}',
  '{"unknown":1}',
];

const watches: readonly Place[] = ['100000', '18446744073709551616', 'x'].map(
  (version): Place => ({
    method: 'GET',
    path: `${core}/configmaps?watch=true&timeoutSeconds=1&resourceVersion=${version}`,
  }),
);

const methods: readonly Place[] = ['/healthz', '/version', '/apis/apps/v1', '/openid/v1/jwks', '/nothing'].map(
  (path): Place => ({ method: 'PUT', path }),
);

const prepared: readonly Step[] = [
  {
    what: 'prepare a definition',
    method: 'POST',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    body: {
      metadata: { name: 'things.forms.example' },
      spec: {
        group: 'forms.example',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    },
    until: things,
  },
  {
    what: 'prepare an object of it',
    method: 'POST',
    path: things,
    body: { apiVersion: 'forms.example/v1', kind: 'Thing', metadata: { name: 'formed' }, spec: { replicas: 3 } },
  },
  {
    what: 'prepare an object',
    method: 'POST',
    path: `${core}/configmaps`,
    body: { metadata: { name: 'formed', labels: { forms: '' } }, data: { a: 'b' } },
  },
  {
    what: 'prepare what can be scaled',
    method: 'POST',
    path: `${core}/replicationcontrollers`,
    body: {
      metadata: { name: 'formed' },
      spec: {
        replicas: 2,
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    },
  },
];

/** The same answers in every form that clients ask for, and what is said where there is no such form. */
export const forms: readonly Step[] = [
  ...prepared,
  ...places.flatMap((place) =>
    accepts.map((accept) => ({ ...place, accept, what: `${place.method} ${place.path} as ${accept}` })),
  ),
  ...writes.flatMap((place) =>
    contentTypes.map((contentType) => ({ ...place, contentType, what: `${place.path} from ${contentType}` })),
  ),
  ...deletions.map((body) => ({
    what: `delete with ${body}`,
    method: 'DELETE' as const,
    path: `${core}/configmaps/none`,
    body,
    contentType: 'application/json',
  })),
  ...watches.map((place) => ({ ...place, what: place.path })),
  ...methods.map((place) => ({ ...place, what: `PUT to ${place.path}` })),
];
