import type { Json } from '#machinery/meta.ts';
import { defineThings, thingsOf } from './defined.ts';
import type { Step } from './sequence.ts';

const group = 'scales.example';
const things = thingsOf(group);
const sets = '/apis/apps/v1/namespaces/default/replicasets';
const [set, thing] = [`${sets}/scaled`, `${things}/scaled`];

function applied(what: string, object: string, manager: string, content: object, force = false): Step {
  const name = object.slice(object.lastIndexOf('/') + 1);
  return {
    what: `${object}: ${what}`,
    method: 'apply',
    path: `${object}/scale?fieldManager=${manager}${force ? '&force=true' : ''}`,
    body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name }, ...content } as Json,
  };
}

const unknown = { foo: 1, spec: { replicas: 3, foo: 1 } };

const written = (object: string): readonly Step[] =>
  [
    { method: 'PUT', path: '?fieldManager=other', body: { metadata: { name: 'scaled' }, ...unknown } },
    {
      method: 'PUT',
      path: '?fieldManager=other&fieldValidation=Strict',
      body: { metadata: { name: 'scaled' }, ...unknown },
    },
    { method: 'merge', path: '?fieldManager=other', body: unknown },
    { method: 'merge', path: '?fieldManager=other&fieldValidation=Strict', body: unknown },
    { method: 'json', path: '?fieldManager=other', body: [{ op: 'add', path: '/spec/foo', value: 1 }] },
    { method: 'json', path: '?fieldManager=other', body: [{ op: 'remove', path: '/spec/foo' }] },
    { method: 'strategic', path: '?fieldManager=other', body: unknown },
  ].map(({ path, ...step }) => ({
    ...(step as Pick<Step, 'method' | 'body'>),
    path: `${object}/scale${path}`,
    what: `${object}: unknown fields, ${step.method} ${path}`,
  }));

const containers = [{ name: 'c', image: 'i' }];
const labels = { a: 'b' };

const ofSet = (what: string, query: string): Step => ({
  what,
  method: 'apply',
  path: `${set}?fieldManager=three${query}`,
  body: { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'scaled' }, spec: { replicas: 7 } },
});

/** Who owns replicas that are written through scales, and what else may stand in a scale. */
export const scales: readonly Step[] = [
  defineThings(group),
  {
    what: 'prepare a thing',
    method: 'POST',
    path: things,
    body: { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'scaled' }, spec: { replicas: 2 } },
  },
  {
    what: 'prepare a set',
    method: 'POST',
    path: sets,
    body: {
      metadata: { name: 'scaled' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    },
  },
  applied('in conflict', set, 'one', { spec: { replicas: 3 } }),
  applied('by force', set, 'one', { spec: { replicas: 3 } }, true),
  applied('in conflict with who applied', set, 'two', { spec: { replicas: 4 } }),
  applied('agreed upon', set, 'two', { spec: { replicas: 3 } }),
  applied('an unknown field', set, 'two', { spec: { replicas: 3, foo: 1 } }),
  applied('a label', set, 'two', { metadata: { name: 'scaled', labels }, spec: { replicas: 3 } }),
  applied('without replicas', set, 'two', { spec: {} }),
  applied('without anything', set, 'two', {}),
  applied('with nobody who wants replicas', set, 'one', {}),
  { what: 'what became of it', method: 'GET', path: set },
  ofSet('applied to the object', ''),
  ofSet('applied to the object by force', '&force=true'),
  applied('in conflict with who applied to the object', set, 'one', { spec: { replicas: 3 } }),
  ...written(set),
  applied('in conflict', thing, 'one', { spec: { replicas: 3 } }),
  applied('an unknown field', thing, 'two', { spec: { replicas: 3, foo: 1 } }),
  ...written(thing),
];
