import type { JsonObject } from '#machinery/meta.ts';
import { applied, type Step, type Subject } from './sequence.ts';

const subject: Subject = {
  collection: '/apis/apps/v1/namespaces/default/deployments',
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'of-many',
};
const labels = { a: 'b' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };

const status = (what: string, manager: string, content: JsonObject, force = false): Step =>
  applied(`status: ${what}`, subject, manager, content, { force, subresource: 'status' });
const whole = (what: string, manager: string, content: JsonObject, force = false): Step =>
  applied(what, subject, manager, content, { force });

const said = (replicas: number, conditions?: readonly JsonObject[]): JsonObject =>
  ({ status: { replicas, ...(conditions === undefined ? {} : { conditions }) } }) as unknown as JsonObject;
const pods = (container: JsonObject): JsonObject =>
  ({ spec: { template: { spec: { containers: [{ name: 'd', ...container }] } } } }) as unknown as JsonObject;

const map: Subject = {
  collection: '/api/v1/namespaces/default/configmaps',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'migrated',
};
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Several who apply parts of one object and of its status, and who applied on their own side before. */
export const appliers: readonly Step[] = [
  status('of what is not there', 'one', said(1)),
  {
    what: 'prepare what is applied to',
    method: 'POST',
    path: subject.collection,
    body: { metadata: { name: subject.name }, spec: { selector: { matchLabels: labels }, template } },
  },
  status('first', 'one', said(3, [{ type: 'Available', status: 'True' }])),
  status('in conflict', 'two', said(4)),
  status('by force', 'two', said(4), true),
  status('with a spec', 'one', { spec: { replicas: 9 }, status: { replicas: 4 } }),
  status('another condition', 'two', said(4, [{ type: 'Progressing', status: 'True' }])),
  status('a condition of another', 'two', said(4, [{ type: 'Available', status: 'False' }])),
  status('a condition of no type', 'two', said(4, [{ status: 'True' }])),
  status('an unknown field', 'two', { status: { foo: 1 } }),
  status('labels', 'one', { metadata: { labels } }),
  status('nothing', 'one', {}),
  status('nothing', 'two', {}),
  whole('a status', 'three', said(7)),
  whole('replicas', 'three', { spec: { replicas: 2 } }),
  whole('replicas in conflict', 'four', { spec: { replicas: 3 } }),
  whole('nothing', 'three', {}),
  whole('a container', 'three', pods({ image: 'j', env: [{ name: 'A', value: '1' }] })),
  whole('a container in conflict', 'four', pods({ image: 'k' })),
  whole('a container by force', 'four', pods({ image: 'k', env: [{ name: 'A', value: '2' }] }), true),
  whole('no container', 'four', {}),
  whole('null', 'three', { spec: { replicas: null } }),
  { what: 'what became of it', method: 'GET', path: `${subject.collection}/${subject.name}` },
  {
    what: 'applied by a client',
    method: 'POST',
    path: `${map.collection}?fieldManager=kubectl-client-side-apply`,
    body: {
      metadata: { name: map.name, annotations: { [lastApplied]: '{"data":{"a":"b"}}\n' } },
      data: { a: 'b' },
    },
  },
  applied('applied by the server, of no kind before', map, 'kubectl', { data: { a: '<c>' } }),
  {
    what: 'applied by a client, of a kind',
    method: 'merge',
    path: `${map.collection}/${map.name}?fieldManager=kubectl-client-side-apply`,
    body: {
      metadata: {
        annotations: {
          [lastApplied]: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"migrated"},"data":{"a":"b"}}\n',
        },
      },
    },
  },
  applied('applied by the server since', map, 'kubectl', { data: { a: '<c>' } }),
  applied('by another', map, 'other', { data: { a: 'd', z: 'y' } }),
];
