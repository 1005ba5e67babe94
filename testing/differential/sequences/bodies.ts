import { defineThings, thingsOf } from './defined.ts';
import type { Step } from './sequence.ts';

const core = '/api/v1/namespaces/default';
const group = 'bodies.example';
const things = thingsOf(group);

/** Text that is no YAML, that is odd YAML, or no object. */
const yaml: readonly string[] = [
  '',
  ' ',
  '{',
  '[',
  '"',
  "'",
  '%',
  '@',
  '*a',
  '&a',
  'x',
  '1',
  'null',
  '[]',
  '{"a":1',
  'a: b: c',
  'a:\n\tb: c',
  'a: [',
  'a: "b',
  'a: *b',
  'a: @b',
  '- a\nb: c',
  'a: b\n c: d',
  '---\na: b\n---\nc: d',
  '? a',
  '{a: b, c}',
  '| x',
  '1: 2',
  'true: 3',
  '1.5: 3',
  'a: 2020-01-01',
  '\u0000',
  '\ufeffa: b',
];

const ofYaml = (body: string): readonly Step[] =>
  [
    { what: 'created', method: 'POST', path: `${core}/configmaps?dryRun=All`, contentType: 'application/yaml' },
    { what: 'applied', method: 'apply', path: `${core}/configmaps/x?dryRun=All&fieldManager=x` },
    { what: 'deleted', method: 'DELETE', path: `${core}/configmaps/none`, contentType: 'application/yaml' },
    { what: 'created as custom', method: 'POST', path: `${things}?dryRun=All`, contentType: 'application/yaml' },
  ].map(({ what, ...step }) => ({ ...step, body, what: `${what} from ${JSON.stringify(body)}` }) as Step);

const typed = (more: string, kind = 'Thing', version = 'v1'): string =>
  `{"kind":"${kind}","apiVersion":"${group}/${version}",${more}}`;

const json: readonly string[] = [
  '',
  ' ',
  '{',
  '[]',
  '1',
  '"x"',
  'null',
  'true',
  '\u0000',
  '{}',
  '{"a":1}',
  '{"kind":"Thing"}',
  '{"kind":1}',
  '{"apiVersion":1}',
  '{"metadata":1}',
  '{"metadata":[]}',
  typed('"metadata":1'),
  typed('"metadata":{"name":1}'),
  typed('"metadata":{"name":"x","labels":{"a":1}}'),
  typed('"metadata":{"name":"x"}', 'Thin'),
];
/** Upstream reads of it what it would read of a later version. */
const laterVersion = typed('"metadata":{"name":"x"}', 'Thing', 'v2');

const ofJson = (body: string): readonly Step[] => {
  const created = [
    `${things}?dryRun=All`,
    `${core}/configmaps?dryRun=All`,
    `${core}/pods/none/eviction?dryRun=All`,
    `${core}/serviceaccounts/bodies/token?dryRun=All`,
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All',
  ].map((path) => ({ method: 'POST', path }));
  const written = ['', '/status', '/scale'].map((door) => ({ method: 'PUT', path: `${things}/x${door}?dryRun=All` }));
  const patched = ['', '/scale'].map((door) => ({ method: 'merge', path: `${things}/x${door}?dryRun=All` }));
  const applied = { method: 'apply', path: `${things}/x?dryRun=All&fieldManager=y` };
  const others = body === laterVersion ? [] : [...patched, applied];
  return [...created, ...written, ...others].map(
    ({ method, path }) =>
      ({
        what: `${method} ${path} with ${JSON.stringify(body)}`,
        method,
        path,
        body,
        ...(method === 'POST' || method === 'PUT' ? { contentType: 'application/json' } : {}),
      }) as Step,
  );
};

/** What is said of bodies that are no objects, or of another kind. */
export const bodies: readonly Step[] = [
  defineThings(group),
  {
    what: 'prepare an object',
    method: 'POST',
    path: things,
    body: { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'x' }, spec: { replicas: 2 } },
  },
  {
    what: 'prepare an account',
    method: 'POST',
    path: `${core}/serviceaccounts`,
    body: { metadata: { name: 'bodies' } },
  },
  ...yaml.flatMap(ofYaml),
  ...[...json, laterVersion].flatMap(ofJson),
];
