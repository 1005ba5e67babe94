import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const pods = `${core}/pods`;
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/** A request of `/O=system:nodes/CN=system:node:x` for a certificate, whose key nobody has. */
const request =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIcE1JR1JBZ0VBTUM4eEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVXTUJRR0ExVUVBd3dOYzNsegpkR1Z0T201dlpHVTZlREJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEEwSUFCTWoycDR0NjRabFdGZHB1ClhkckMzVlRBQU1LSVl6TVY3K3N3UTIyMkZaV1VDUncrT3RjZHlSM3ZtZ1dCOW5tK1pILzBRZk9ZYU13cytJdmQKSmFkYkhQeWdBREFLQmdncWhrak9QUVFEQWdOSEFEQkVBaUJmeWRCcy9tQkZ6TWpqc0lSbEh5dGVKQ3prWEtDYQpnZGJSUE1rUzR3Ri9lUUlnYStEN0FIYlNsZ20vWFp6YzlGNHFxWE5xQWFCUTlma0tNYy8yMUprRk43Zz0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';

const signing = (name: string, spec: object = {}): Json =>
  ({ metadata: { name }, spec: { request, signerName: 'a.b/c', usages: ['client auth'], ...spec } }) as unknown as Json;

const judged = (name: string, door: string, status: Json, method: Step['method'] = 'merge'): Step => ({
  what: `${name}/${door} ${JSON.stringify(status)}`,
  method,
  path: `${requests}/${name}/${door}`,
  body: { status },
});

const verdict = (type: string, status = 'True', more: object = {}): Json => ({ type, status, ...more }) as Json;
const conditions = (...given: readonly Json[]): Json => ({ conditions: given }) as Json;

const certificates: readonly Step[] = [
  ...['judged', 'refused'].map(
    (name): Step => ({ what: `prepare ${name}`, method: 'POST', path: requests, body: signing(name) }),
  ),
  ...['', 'abc', 'A.b/c/d'].map(
    (signerName): Step => ({
      what: `signed by ${signerName}`,
      method: 'POST',
      path: `${requests}?dryRun=All`,
      body: signing('odd', { signerName }),
    }),
  ),
  judged('judged', 'approval', conditions(verdict('Approved', 'False'))),
  judged('judged', 'approval', conditions(verdict('Approved'), verdict('Approved'))),
  judged('judged', 'approval', conditions(verdict('', 'True'))),
  judged('judged', 'approval', conditions(verdict('X', 'Maybe'))),
  judged('judged', 'approval', { certificate: 'eA==' }),
  judged('judged', 'status', conditions(verdict('Approved'))),
  judged('judged', 'approval', conditions(verdict('Approved', 'True', { reason: 'r', message: 'm' }))),
  judged('judged', 'approval', conditions()),
  judged('judged', 'approval', conditions(verdict('Approved'), verdict('Denied'))),
  judged('judged', 'approval', conditions(verdict('Denied'))),
  judged('judged', 'status', { certificate: 'dGV4dAo=' }),
  judged('refused', 'approval', conditions(verdict('Denied', 'True', { reason: 'no' }))),
  judged('refused', 'status', conditions(verdict('Denied', 'True', { reason: 'no' }), verdict('Failed'))),
  { what: 'what was judged', method: 'GET', path: `${requests}/judged/approval` },
];

const containers = [{ name: 'c', image: 'i' }];
const account = 'verdicts';
const pod = (name: string): Step => ({
  what: `prepare pod ${name}`,
  method: 'POST',
  path: pods,
  body: { metadata: { name }, spec: { serviceAccountName: account, automountServiceAccountToken: false, containers } },
});

const bind = (name: string, metadata: object, target: object = { kind: 'Node', name: 'n1' }, query = ''): Step => ({
  what: `bind ${name}${query} ${JSON.stringify({ metadata, target })}`,
  method: 'POST',
  path: `${pods}/${name}/binding${query}`,
  body: { metadata: { name, ...metadata }, target } as Json,
});

const binding: readonly Step[] = [
  {
    what: 'prepare an account',
    method: 'POST',
    path: `${core}/serviceaccounts`,
    body: { metadata: { name: account } },
  },
  pod('bound'),
  bind('bound', {}, {}),
  bind('bound', {}, { kind: 'Pod', name: 'x' }),
  bind('bound', { name: 'other' }),
  bind('bound', { namespace: 'other' }),
  bind('bound', { uid: 'x' }),
  bind('bound', { resourceVersion: '1' }),
  bind('bound', {}, undefined, '?dryRun=All'),
  bind('bound', { labels: { a: 'b' }, annotations: { x: 'y' } }),
  bind('bound', {}),
  bind('none', {}),
  { what: 'what was bound', method: 'GET', path: `${pods}/bound` },
];

const ended = '/api/v1/namespaces/finalized';
const finalized = (what: string, finalizers: Json, name = 'finalized'): Step => ({
  what,
  method: 'PUT',
  path: `${ended}/finalize`,
  body: { metadata: { name }, spec: { finalizers } },
});

const namespaces: readonly Step[] = [
  {
    what: 'prepare a namespace',
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: 'finalized' } },
  },
  finalized('a finalizer of no domain', ['x']),
  finalized('another name', [], 'other'),
  finalized('a finalizer', ['a.b/c']),
  { what: 'it is deleted', method: 'DELETE', path: ended },
  { what: 'and again', method: 'DELETE', path: ended },
  { what: 'something new in it', method: 'POST', path: `${ended}/configmaps`, body: { metadata: { name: 'x' } } },
  finalized('nothing holds it', []),
  { what: 'what is left', method: 'GET', path: ended },
];

/** Subresources through which others than its writer decide what becomes of an object. */
export const verdicts: readonly Step[] = [...certificates, ...binding, ...namespaces];
