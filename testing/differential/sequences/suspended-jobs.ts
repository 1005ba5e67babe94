import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const jobs = '/apis/batch/v1/namespaces/default/jobs';
const name = 'at-rest';

const status = (what: string, body: Json): Step => ({
  what,
  method: 'merge',
  path: `${jobs}/${name}/status`,
  body: { status: body } as Json,
});

const template = (what: string, body: Json): Step => ({
  what: `${what}: ${JSON.stringify(body)}`,
  method: 'strategic',
  path: `${jobs}/${name}?dryRun=All`,
  body: { spec: { template: body } } as Json,
});

const changes: readonly Json[] = [
  { metadata: { labels: { a: 'c' } } },
  { spec: { nodeSelector: { a: 'b' } } },
  { spec: { affinity: { podAntiAffinity: {} } } },
  { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '2' } } }] } },
  { spec: { containers: [{ name: 'c', image: 'other' }] } },
  { spec: { initContainers: [{ name: 'd', image: 'i' }] } },
];

const changedWhen = (when: string): readonly Step[] => changes.map((body) => template(when, body));

/** Of a suspended job, its template may be changed in part once nothing of it runs. */
export const suspendedJobs: readonly Step[] = [
  {
    what: 'create a suspended job',
    method: 'POST',
    path: jobs,
    body: {
      metadata: { name },
      spec: {
        suspend: true,
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
        },
      },
    },
  },
  ...changedWhen('before anybody says that it is suspended'),
  status('it is suspended', {
    conditions: [
      { type: 'Suspended', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  }),
  ...changedWhen('at rest'),
  status('a pod still runs', { active: 1, ready: 0 }),
  ...changedWhen('while a pod runs'),
];
