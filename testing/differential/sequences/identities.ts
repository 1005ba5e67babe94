import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const reviews = '/apis/authorization.k8s.io/v1';
const roles = '/apis/rbac.authorization.k8s.io/v1';
type Headers = NonNullable<Step['headers']>;

/** A user with rules, who acts only because the administrator impersonates him. */
const granted = (name: string, rules: Json): readonly Step[] => [
  {
    what: `prepare rules of ${name}`,
    method: 'POST',
    path: `${roles}/clusterroles`,
    body: { metadata: { name }, rules },
  },
  {
    what: `prepare ${name}`,
    method: 'POST',
    path: `${roles}/clusterrolebindings`,
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }],
    },
    until: `${roles}/clusterroles/${name}`,
  },
];

const identities: readonly Headers[] = [
  { 'impersonate-user': 'a', 'impersonate-group': ['g', 'h'] },
  { 'impersonate-user': 'a', 'impersonate-uid': 'x' },
  { 'impersonate-user': 'a', 'impersonate-extra-acme%2fx': ['b', 'c'] },
  { 'impersonate-user': 'system:anonymous' },
  { 'impersonate-user': 'a', 'impersonate-group': 'system:unauthenticated' },
  { 'impersonate-user': 'system:serviceaccount:default:x' },
  { 'impersonate-user': 'system:serviceaccount:bad' },
  { 'impersonate-group': 'g' },
  { 'impersonate-uid': 'x' },
  { 'impersonate-extra-a': 'b' },
];

interface Request {
  readonly method: Step['method'];
  readonly path: string;
  readonly body?: Json;
}

const forEverybody: readonly Request[] = [
  { method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} },
  { method: 'GET', path: `${core}/pods` },
  { method: 'GET', path: `${core}/pods/x/nothing` },
  { method: 'POST', path: `${core}/pods`, body: {} },
  { method: 'GET', path: '/nothing' },
];

/** What the reader may and may not do, well and badly said. */
const forReader: readonly Request[] = [
  { method: 'GET', path: `${core}/configmaps` },
  { method: 'GET', path: `${core}/configmaps?fieldSelector=metadata.name%3Dheld` },
  { method: 'GET', path: `${core}/configmaps?labelSelector=a%20in` },
  { method: 'GET', path: `${core}/configmaps/held?limit=x` },
  { method: 'GET', path: `${core}/configmaps/other` },
  { method: 'GET', path: '/api/v1/nodes/x' },
  { method: 'GET', path: '/api/v1/endpoints' },
  { method: 'merge', path: `${core}/configmaps/held?dryRun=bad`, body: {} },
  { method: 'POST', path: `${core}/configmaps?limit=x`, body: {} },
  { method: 'GET', path: '/apis/apps/v1/namespaces/default/deployments/x/scale' },
  { method: 'GET', path: '/apis/apps/v1/namespaces/default/deployments/x/status' },
  { method: 'GET', path: '/logs/x' },
  { method: 'GET', path: '/apis/x.y/v1/z' },
  { method: 'POST', path: `${roles}/clusterrolebindings`, body: { metadata: { name: 'esc' } } },
];

const bound = (name: string): Json => ({
  metadata: { name: 'escalated' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
});

const forGranter: readonly Request[] = [
  { method: 'POST', path: `${roles}/clusterrolebindings?dryRun=All`, body: bound('cluster-admin') },
  { method: 'POST', path: `${roles}/clusterrolebindings?dryRun=All`, body: bound('none') },
  {
    method: 'POST',
    path: `${roles}/clusterroles?dryRun=All`,
    body: { metadata: { name: 'escalated' }, rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
  },
];

const questions: readonly Json[] = [
  {},
  { verb: 'get', resource: 'configmaps', namespace: 'default', name: 'held' },
  { verb: 'list', resource: 'configmaps', fieldSelector: { rawSelector: 'metadata.name=held' } },
  { verb: 'list', resource: 'configmaps', fieldSelector: { rawSelector: 'x' } },
  {
    verb: 'list',
    resource: 'configmaps',
    fieldSelector: { requirements: [{ key: '', operator: 'X', values: [] }], rawSelector: 'a=b' },
  },
  {
    verb: 'list',
    resource: 'configmaps',
    labelSelector: { requirements: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
  },
  { verb: 'get', resource: 'nothing', version: 'v9', group: 'x.y' },
];

const told = ({ method, path }: Request, by: Headers): string => `${method} ${path} by ${JSON.stringify(by)}`;
const [reader, granter]: readonly Headers[] = [{ 'impersonate-user': 'reader' }, { 'impersonate-user': 'granter' }];

/** Who acts as whom, what they may, and what they are told that they may. */
export const identitiesAndReviews: readonly Step[] = [
  ...granted('reader', [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'], resourceNames: ['held'] },
    { apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] },
    { nonResourceURLs: ['/nothing', '/logs/*'], verbs: ['get'] },
  ]),
  ...granted('granter', [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create'] }]),
  { what: 'prepare a map', method: 'POST', path: `${core}/configmaps`, body: { metadata: { name: 'held' } } },
  ...identities.flatMap((by) =>
    forEverybody.map((request): Step => ({ ...request, headers: by, what: told(request, by) })),
  ),
  ...forReader.map((request): Step => ({ ...request, headers: reader!, what: told(request, reader!) })),
  ...forGranter.map((request): Step => ({ ...request, headers: granter!, what: told(request, granter!) })),
  {
    what: 'a pod without a name',
    method: 'POST',
    path: `${core}/pods`,
    body: { spec: { serviceAccountName: 'none', containers: [] } },
  },
  ...questions.flatMap((resourceAttributes): Step[] => [
    {
      what: `may I ${JSON.stringify(resourceAttributes)}`,
      method: 'POST',
      path: `${reviews}/selfsubjectaccessreviews`,
      body: { spec: { resourceAttributes } },
    },
    {
      what: `may the reader ${JSON.stringify(resourceAttributes)}`,
      method: 'POST',
      path: `${reviews}/subjectaccessreviews`,
      body: { spec: { user: 'reader', resourceAttributes } },
    },
  ]),
];
