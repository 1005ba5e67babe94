import type { Step } from './sequence.ts';

const namespaced = '/api/v1/namespaces/default';
const pods = `${namespaced}/pods`;
const controller = `${namespaced}/replicationcontrollers/scaled`;

const patch = (what: string, path: string, body: string, method: Step['method'] = 'merge'): Step => ({
  what: `${what}: ${method} ${body}`,
  method,
  path: `${path}?dryRun=All&fieldManager=other`,
  body,
});

const container = { name: 'c', image: 'i', resources: { requests: { cpu: '100m', memory: '64Mi' } } };

const prepared: readonly Step[] = [
  {
    what: 'prepare an account',
    method: 'POST',
    path: `${namespaced}/serviceaccounts`,
    body: { metadata: { name: 'default' } },
    until: `${namespaced}/serviceaccounts/default`,
  },
  {
    what: 'prepare what can be scaled',
    method: 'POST',
    path: `${namespaced}/replicationcontrollers`,
    body: {
      metadata: { name: 'scaled' },
      spec: { replicas: 2, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } } },
    },
  },
  {
    what: 'prepare a pod',
    method: 'POST',
    path: pods,
    body: {
      metadata: { name: 'sized' },
      spec: {
        automountServiceAccountToken: false,
        initContainers: [
          { ...container, name: 's', restartPolicy: 'Always' },
          { ...container, name: 'n' },
        ],
        containers: [container, { ...container, name: 'd' }],
      },
    },
  },
];

const scales: readonly string[] = [
  '{"spec":1}',
  '{"spec":{"replicas":"a"}}',
  '{"spec":{"replicas":1.5}}',
  '{"spec":{"replicas":-1}}',
  '{"spec":{"replicas":9999999999}}',
  '{"spec":{"replicas":null}}',
  '{"spec":{"unknown":1}}',
  '{"status":{"replicas":"a"}}',
  '{"kind":1}',
  '{"kind":"X"}',
  '{"apiVersion":"v9"}',
  '{"metadata":null}',
  '{"metadata":{"name":"other"}}',
  '{"metadata":{"uid":"x"}}',
  '{"metadata":{"resourceVersion":"1"}}',
  '{"metadata":{"resourceVersion":"x"}}',
];

const applied: readonly string[] = ['x', '1', '{}', 'apiVersion: v1', '{"apiVersion":"v1","kind":"Pod"}'];

const scalePuts: readonly string[] = ['1', 'null', '{}', '{"metadata":{"name":"scaled","uid":"x"},"spec":{}}'];

/** Parts of a container, each a resize. */
const resizes: readonly string[] = [
  '{"resources":{"requests":{"cpu":"200m"}}}',
  '{"resources":{"requests":{"cpu":null}}}',
  '{"resources":{"requests":{"ephemeral-storage":"1Gi"}}}',
  '{"resources":{"limits":{"memory":"1Mi"}}}',
  '{"resources":null}',
  '{"resizePolicy":[{"resourceName":"memory","restartPolicy":"RestartContainer"}]}',
  '{"image":"other"}',
];

const resize = (list: string, name: string, part: string): Step =>
  patch('resize', `${pods}/sized/resize`, `{"spec":{"${list}":[{"name":"${name}",${part.slice(1)}]}}`, 'strategic');

const odd: readonly Step[] = [
  patch('resize', `${pods}/sized/resize`, '{"spec":null}'),
  patch('resize', `${pods}/sized/resize`, '{"metadata":{"uid":"x"}}'),
  patch('resize', `${pods}/sized/resize`, '{"spec":{"initContainers":null}}'),
  patch('resize', `${pods}/sized/resize`, '{"spec":{"containers":[{"name":"x","image":"i"}]}}', 'strategic'),
  patch('resize', `${pods}/sized/resize`, '{"spec":{"containers":[{"$patch":"delete","name":"d"}]}}', 'strategic'),
  patch('debug', `${pods}/sized/ephemeralcontainers`, '{"metadata":{"uid":"x"}}'),
  ...['null', '{}', '{"metadata":{"name":"none"},"target":{"kind":"Pod","name":"n"}}'].map((body) => ({
    what: `bind ${body}`,
    method: 'POST' as const,
    path: `${namespaced}/bindings?dryRun=All`,
    body,
  })),
];

/** What broken bodies and patches of subresources are answered, and which resizes of a pod there are. */
export const subresources: readonly Step[] = [
  ...prepared,
  ...scales.flatMap((body) => [
    patch('scale', `${controller}/scale`, body),
    patch('scale', `${controller}/scale`, body, 'strategic'),
  ]),
  ...applied.map((body) => patch('scale', `${controller}/scale`, body, 'apply')),
  ...scalePuts.map((body) => patch('scale', `${controller}/scale`, body, 'PUT')),
  ...resizes.flatMap((part) => [
    resize('containers', 'c', part),
    resize('initContainers', 's', part),
    resize('initContainers', 'n', part),
  ]),
  ...odd,
];
