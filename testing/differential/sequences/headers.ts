import type { Json } from '#machinery/meta.ts';
import { defineThings, thingsOf } from './defined.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const maps = `${core}/configmaps`;
const held = `${maps}/headed`;
const group = 'headers.example';
const things = thingsOf(group);

/** Headers that mean something to other servers. */
const odd: readonly (readonly [string, string])[] = [
  ['if-match', '"x"'],
  ['if-none-match', '*'],
  ['if-modified-since', 'Wed, 21 Oct 2099 07:28:00 GMT'],
  ['range', 'bytes=0-5'],
  ['accept-encoding', 'identity;q=0'],
  ['accept-charset', 'x'],
  ['x-http-method-override', 'DELETE'],
  ['origin', 'http://x'],
  ['x-remote-user', 'u'],
];

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const metadata = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

/** Several forms, and how much each is liked. */
const accepts: readonly string[] = [
  `${table};q=0.1,application/json;q=0.9`,
  `${table};q=0`,
  'application/json;q=x',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'application/yaml;q=0.1,application/json;q=0.05',
  '*/*;q=0.1,application/yaml;q=0.01',
  `${metadata},${table}`,
  `${metadata};q=0.1,*/*`,
  'application/json; as=Table; v=v1; g=meta.k8s.io',
  'application/json;as=Table;v=v1',
  'application/*;as=Table;v=v1;g=meta.k8s.io',
  'APPLICATION/JSON',
  ',',
  ';',
  'application/merge-patch+json',
];

const contentTypes: readonly string[] = [
  'application/json; charset=utf-16',
  'application/json;',
  'text/plain',
  'application/yaml;charset=utf-8',
  'application/x-yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json,application/yaml',
  '*/*',
  '/',
  'application/strategic-merge-patch+json; charset=utf-8',
];

const options: readonly string[] = [
  'fieldManager=',
  `fieldManager=${'a'.repeat(128)}`,
  `fieldManager=${'a'.repeat(129)}`,
  'fieldManager=%0A',
  'fieldManager=%E2%80%8B',
  'fieldManager=%C3%BC',
  'fieldValidation=strict',
  'fieldValidation=Strict',
  'fieldValidation=Ignore',
  'force=true',
  'force=x',
  'dryRun=all',
  'dryRun=All,All',
  'gracePeriodSeconds=x',
  'propagationPolicy=x',
  'orphanDependents=x',
  'limit=x',
  'labelSelector=a%20in',
  'timeoutSeconds=x',
  'timeout=x',
  'timeout=-1s',
];

interface Request {
  readonly method: Step['method'];
  readonly path: string;
  readonly body?: Json;
}

const reads: readonly Request[] = [
  { method: 'GET', path: `${held}?a=b` },
  { method: 'GET', path: `${maps}?labelSelector=headed` },
  { method: 'GET', path: `${things}/headed?a=b` },
  { method: 'GET', path: `${core}/serviceaccounts/none?a=b` },
];

const writes: readonly Request[] = [
  { method: 'POST', path: `${maps}?dryRun=All`, body: { metadata: { name: 'new' }, foo: 1 } },
  { method: 'PUT', path: `${held}?dryRun=All`, body: { metadata: { name: 'headed' }, foo: 1 } },
  { method: 'merge', path: `${held}?dryRun=All`, body: { data: { a: 'c' }, foo: 1 } },
  {
    method: 'apply',
    path: `${held}?dryRun=All`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'headed' }, data: { x: 'y' } },
  },
  { method: 'DELETE', path: `${held}?dryRun=All` },
  { method: 'DELETE', path: `${maps}?dryRun=All&labelSelector=headed` },
  { method: 'merge', path: `${things}/headed?dryRun=All`, body: { spec: { replicas: 3 } } },
  {
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?a=b',
    body: { spec: { nonResourceAttributes: { path: '/', verb: 'get' } }, foo: 1 },
  },
];

const typed = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
const typedPaths = {
  POST: `${maps}?dryRun=All`,
  PUT: `${held}?dryRun=All`,
  PATCH: `${held}?dryRun=All&fieldManager=x`,
  DELETE: `${maps}/none`,
};

/** Headers and options that every request may have. */
export const headers: readonly Step[] = [
  defineThings(group),
  {
    what: 'prepare a thing',
    method: 'POST',
    path: things,
    body: { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'headed' }, spec: { replicas: 1 } },
  },
  {
    what: 'prepare a map',
    method: 'POST',
    path: maps,
    body: { metadata: { name: 'headed', labels: { headed: '' } }, data: { a: 'b' } },
  },
  ...[held, '/api', '/apis/apps/v1', '/healthz'].flatMap((path) =>
    odd.map(
      ([name, value]): Step => ({
        what: `${path} with ${name}: ${value}`,
        method: 'GET',
        path,
        headers: { [name]: value },
      }),
    ),
  ),
  ...[...reads, ...writes].flatMap((request) => [
    ...accepts.map((accept): Step => ({ ...request, accept, what: `${request.method} ${request.path} as ${accept}` })),
    ...options.map((option): Step => {
      const path = `${request.path}&${option}`;
      return { ...request, path, what: `${request.method} ${path}` };
    }),
  ]),
  ...typed.flatMap((method) =>
    contentTypes.map((contentType): Step => {
      const path = typedPaths[method];
      return { what: `${method} ${path} of ${contentType}`, method, path, body: '{}', contentType };
    }),
  ),
];
