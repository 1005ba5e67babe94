import type { Json, JsonObject } from '#machinery/meta.ts';
import { applied, patched, type Step, type Subject } from './sequence.ts';

const policies: Subject = {
  collection: '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  name: 'counted',
};

const hooks: Subject = {
  collection: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  name: 'counted',
};

const deployments: Subject = {
  collection: '/apis/apps/v1/namespaces/default/deployments',
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'counted',
};

function webhook(more: object): JsonObject {
  return {
    name: 'a.example.com',
    clientConfig: { url: 'https://127.0.0.1:1/none' },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    // Nothing is asked of it.
    rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['none'] }],
    ...more,
  } as JsonObject;
}

const selector = { matchLabels: { app: 'counted' } };
const template = { metadata: { labels: selector.matchLabels }, spec: { containers: [{ name: 'a', image: 'b' }] } };

function created(subject: Subject, content: object): Step {
  const { collection, apiVersion, kind, name } = subject;
  const body = { apiVersion, kind, metadata: { name }, ...content } as Json;
  return { what: `a ${kind}`, method: 'POST', path: collection, body };
}

/** Each content applied, twice, then merged, put together and put in place of what there is. */
function said(subject: Subject, contents: readonly JsonObject[]): readonly Step[] {
  const { collection, apiVersion, kind, name } = subject;
  return contents.flatMap((content) => {
    const what = `${kind} ${JSON.stringify(content)}`;
    const whole = { apiVersion, kind, metadata: { name }, ...content } as Json;
    return [
      applied(what, subject, 'a', content, { force: true }),
      applied(`${what}, again`, subject, 'a', content, { force: true }),
      patched(`${what}, merged`, subject, 'merge', content, '?fieldManager=m'),
      patched(`${what}, put together`, subject, 'strategic', content, '?fieldManager=s'),
      { what: `${what}, put`, method: 'PUT', path: `${collection}/${name}?fieldManager=p`, body: whole } as Step,
    ];
  });
}

/** What counts as a change of intent: for some kinds, an empty list or map where there was none. */
export const generations: readonly Step[] = [
  created(policies, { spec: { podSelector: {} } }),
  ...said(policies, [
    { spec: { podSelector: {} } },
    { spec: { podSelector: {}, egress: [] } },
    { spec: { podSelector: { matchLabels: {} } } },
    { spec: { podSelector: { matchExpressions: [] }, ingress: [{ ports: [] }] } },
    { metadata: { labels: {} }, spec: { podSelector: {}, policyTypes: ['Ingress'] } },
  ] as unknown as JsonObject[]),
  created(hooks, { webhooks: [webhook({})] }),
  ...said(hooks, [
    { webhooks: [webhook({ namespaceSelector: {} })] },
    { webhooks: [webhook({ namespaceSelector: { matchLabels: {} } })] },
    { webhooks: [webhook({ matchConditions: [] })] },
    { webhooks: [] },
  ] as unknown as JsonObject[]),
  created(deployments, { spec: { selector, template } }),
  ...said(deployments, [
    { spec: { selector, template: { ...template, spec: { ...template.spec, volumes: [], nodeSelector: {} } } } },
  ] as unknown as JsonObject[]),
];
