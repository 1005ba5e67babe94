import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { ServedResource } from '#apiserver/resources/resource.ts';
import type { ApiServer } from '#apiserver/server.ts';
import { type Random, seededRandom } from '#base/random.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { Request } from './exchange.ts';
import { type Mutation, mutated, pick, randomMutation } from './generate.ts';

/** A kind to try, and a good object of it. */
export interface Base {
  readonly index: number;
  readonly object: JsonObject & { readonly kind: string };
  readonly resource: ServedResource;
}

export const operations = [
  'create',
  'update',
  'merge',
  'json',
  'strategic',
  'apply',
  'status',
  'list',
  'table',
  'delete',
] as const;
export type Operation = (typeof operations)[number];

/** All that tells one request from another; from it comes the request to either server. */
export interface Case {
  readonly base: number;
  readonly operation: Operation;
  readonly mutations: readonly Mutation[];
  /** Query parameters, and for reads nothing else. */
  readonly query: Readonly<Record<string, string>>;
}

const namespace = 'default';

/** The bases whose kinds this server has. */
export function readBases(server: ApiServer): readonly Base[] {
  const documents = loadAll(readFileSync(join(import.meta.dirname, 'bases.yaml'), 'utf8')) as Base['object'][];
  return documents.map((object, index) => {
    const [group, version] = splitApiVersion(String(object['apiVersion']));
    const resource = [...server.resources.all()].find(
      ({ kind }) => kind.kind === object.kind && kind.group === group && kind.version === version,
    );
    if (resource === undefined) throw new Error(`no resource for ${object['apiVersion']} ${object.kind}`);
    return { index, object, resource };
  });
}

function splitApiVersion(apiVersion: string): readonly [string, string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

/** Kinds that are asked and not kept. */
export function isStored({ resource }: Base): boolean {
  return resource.verbs.has('get');
}

export function collectionPath({ resource: { kind } }: Base): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return `${root}${kind.namespaced ? `/namespaces/${namespace}` : ''}/${kind.resource}`;
}

export function objectPath(base: Base): string {
  return `${collectionPath(base)}/${String((base.object['metadata'] as JsonObject)['name'])}`;
}

/** The case of a seed: the same for ever. */
export function caseOf(seed: number, bases: readonly Base[]): Case {
  const random = seededRandom(seed);
  const base = pick(random, bases);
  const operation = isStored(base) ? pick(random, operationsFor(base)) : 'create';
  if (operation === 'list' || operation === 'table')
    return { base: base.index, operation, mutations: [], query: readQuery(random, base) };
  const from = operation === 'status' ? { status: {} } : base.object;
  const count = random.next() < 0.05 ? 0 : random.next() < 0.8 ? 1 : 2;
  const mutations = Array.from({ length: count }, () => randomMutation(random, from, base.resource.schema)).filter(
    ({ path }) => operation !== 'status' || path[0] === 'status',
  );
  const fieldValidation = pick(random, ['', '', 'Strict', 'Warn', 'Ignore']);
  const query: Record<string, string> = { dryRun: 'All', ...(fieldValidation === '' ? {} : { fieldValidation }) };
  if (operation === 'apply') {
    query['fieldManager'] = 'differential';
    if (random.next() < 0.5) query['force'] = 'true';
  }
  return { base: base.index, operation, mutations, query };
}

function operationsFor({ resource }: Base): readonly Operation[] {
  const others: Operation[] = ['update', 'update', 'merge', 'json', 'strategic', 'apply', 'list', 'table', 'delete'];
  if (resource.subresources.has('status')) others.push('status');
  return ['create', 'create', 'create', 'create', ...others];
}

const labelSelector = [
  'app=x',
  'app',
  '!app',
  'app in (x,y)',
  'app in ()',
  'app in (,x)',
  'app notin (y),app',
  'app notin (',
  'app in x',
  'a=b=c',
  'Not A=x',
  'app!=x',
  'app==x',
  'app>1',
  'app<1,app>0',
  'app>x',
  '!app=x',
  '! app',
  ',',
  'app,',
  ',app',
  'app=',
  '=x',
  'app x',
  'example.com/app=x',
  'example.com/=x',
  '/app=x',
  'app=-x',
  `app=${'x'.repeat(64)}`,
  `${'x'.repeat(64)}=x`,
  '(app)',
  'app in (x))',
  'in=x',
  'notin',
  'app in (in,notin)',
];

function readQuery(random: Random, { resource: { rules } }: Base): Record<string, string> {
  const query: Record<string, string> = {};
  const choices: Readonly<Record<string, readonly string[]>> = {
    labelSelector,
    fieldSelector: [
      ...Object.keys(rules.selectableFields ?? {}).flatMap((field) => [`${field}=a`, `${field}!=a`, `${field}=`]),
      'metadata.name=x',
      'metadata.name==x,metadata.namespace=default',
      'metadata.name=a\\,b',
      'metadata.name=x,',
      ',',
      '=x',
      'metadata.name in (x)',
      'metadata.labels.app=x',
      'metadata.uid=x',
      'metadata.namespace!=default',
      'spec.nodeName=a',
      'status.phase=Running',
      'type=Opaque',
      'nonsense=1',
      'metadata.name',
      'a=b=c',
    ],
    limit: ['1', '0', '-1', 'a'],
    continue: ['nonsense', ''],
    resourceVersion: ['0', '1', 'a', '-1'],
    resourceVersionMatch: ['Exact', 'NotOlderThan', 'nonsense'],
    pretty: ['true'],
    timeoutSeconds: ['1', 'a'],
  };
  for (const [name, values] of Object.entries(choices)) if (random.next() < 0.2) query[name] = pick(random, values);
  return query;
}

/** The request of a case to a server that holds `current` of the base's kind. */
export function requestOf({ operation, mutations, query }: Case, base: Base, current: JsonObject): Request {
  const asked = new URLSearchParams(query).toString();
  const on = (path: string): string => (asked === '' ? path : `${path}?${asked}`);
  const json = (value: Json): string => JSON.stringify(value);
  const patch = (type: string, body: Json): Request => ({
    method: 'PATCH',
    path: on(objectPath(base)),
    contentType: `application/${type}`,
    body: json(body),
  });
  const wanted = mutated(current, mutations);
  switch (operation) {
    case 'create':
      return { method: 'POST', path: on(collectionPath(base)), body: json(mutated(base.object, mutations)) };
    case 'update':
      return { method: 'PUT', path: on(objectPath(base)), body: json(wanted) };
    case 'status':
      return { method: 'PUT', path: on(`${objectPath(base)}/status`), body: json(wanted) };
    case 'merge':
      return patch(
        'merge-patch+json',
        mutations.reduce<Json>((body, { path }) => nested(body, path, wanted), {}),
      );
    case 'strategic':
      return patch(
        'strategic-merge-patch+json',
        mutations.reduce<Json>((body, { path }) => nested(body, path, wanted), {}),
      );
    case 'json':
      return patch('json-patch+json', mutations.map(jsonOperation));
    case 'apply':
      return patch('apply-patch+yaml', mutated(base.object, mutations));
    case 'delete':
      return { method: 'DELETE', path: on(objectPath(base)) };
    case 'list':
      return { method: 'GET', path: on(collectionPath(base)) };
    case 'table':
      return {
        method: 'GET',
        path: on(collectionPath(base)),
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
      };
  }
}

/** `body` with what `wanted` has at the path, or null; a list is given whole. */
function nested(body: Json, path: readonly (string | number)[], wanted: Json | undefined): Json {
  const [step, ...rest] = path;
  const within = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : {};
  const member = (wanted as JsonObject | undefined)?.[String(step)];
  const isLast = rest.length === 0 || member === undefined || Array.isArray(member);
  const value = isLast ? (member ?? null) : nested(within[String(step)] ?? {}, rest, member);
  return { ...within, [String(step)]: value };
}

function jsonOperation({ path, value }: Mutation): Json {
  const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return value === undefined ? { op: 'remove', path: pointer } : { op: 'add', path: pointer, value };
}
