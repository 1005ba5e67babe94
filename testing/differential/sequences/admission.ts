import type { Json } from '#machinery/meta.ts';
import type { Step } from './sequence.ts';

const inNamespace = (name: string): string => `/api/v1/namespaces/${name}`;

/** A namespace and its account, whose pods the plugins look at. */
const prepared = (name: string, labels: object = {}): readonly Step[] => [
  { what: `prepare ${name}`, method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name, labels } } as Json },
  {
    what: `prepare the account of ${name}`,
    method: 'POST',
    path: `${inNamespace(name)}/serviceaccounts`,
    body: { metadata: { name: 'default' } },
    until: `${inNamespace(name)}/serviceaccounts/default`,
  },
];

const plain = { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] };
const asked = (namespace: string, spec: object, metadata: object = { name: 'p' }): Step => ({
  what: `a pod in ${namespace}: ${JSON.stringify({ metadata, spec })}`,
  method: 'POST',
  path: `${inNamespace(namespace)}/pods?dryRun=All`,
  body: { metadata, spec: { ...plain, ...spec } } as Json,
});

const container = (more: object): object => ({ containers: [{ name: 'c', image: 'i', ...more }] });
const secured = (securityContext: object): object => container({ securityContext });
const restricted = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  ...secured({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }),
};

/** One for every check of the Pod Security Standards. */
const pods: readonly object[] = [
  {},
  restricted,
  secured({ privileged: true }),
  { hostNetwork: true },
  { hostPID: true, hostIPC: true },
  { volumes: [{ name: 'a', hostPath: { path: '/' } }] },
  container({ ports: [{ containerPort: 80, hostPort: 80 }] }),
  secured({ capabilities: { add: ['SYS_ADMIN', 'NET_ADMIN', 'CHOWN', 'NET_BIND_SERVICE'] } }),
  { hostUsers: false, ...secured({ procMount: 'Unmasked' }) },
  { securityContext: { seLinuxOptions: { type: 'bad_t', user: 'u', role: 'r' } } },
  { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
  { securityContext: { seccompProfile: { type: 'Unconfined' } } },
  { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
  { ...restricted, ...secured({ runAsUser: 0, runAsNonRoot: false, allowPrivilegeEscalation: true }) },
  { ...restricted, volumes: [{ name: 'a', nfs: { server: 'a', path: '/b' } }] },
  { initContainers: [{ name: 'i', image: 'i', securityContext: { privileged: true } }] },
  { os: { name: 'windows' } },
  { hostNetwork: true, securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'x' } } },
  container({ livenessProbe: { httpGet: { host: '1.2.3.4', port: 80 } } }),
];

const security = 'pod-security.kubernetes.io/';
const labelled = (labels: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${security}${name}`, value])) as Json;

const levels: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'is-baseline': { enforce: 'baseline', warn: 'restricted' },
  'is-restricted': { enforce: 'restricted' },
  'is-warned': { warn: 'baseline', 'warn-version': 'v1.20' },
  'is-older': { enforce: 'restricted', 'enforce-version': 'v1.22' },
};

const podSecurity: readonly Step[] = [
  ...Object.entries(levels).flatMap(([name, labels]) => [
    ...prepared(name, labelled(labels) as object),
    ...pods.map((spec) => asked(name, spec)),
  ]),
  ...[{ enforce: 'bad' }, { 'enforce-version': 'v1.99' }, { warn: 'x', 'warn-version': 'y' }].map(
    (labels): Step => ({
      what: `labels ${JSON.stringify(labels)}`,
      method: 'merge',
      path: `${inNamespace('is-baseline')}?dryRun=All`,
      body: { metadata: { labels: labelled(labels as unknown as Record<string, string>) } },
    }),
  ),
];

const resources = (requests: object, limits: object = {}): object => container({ resources: { requests, limits } });

const ranges: readonly Step[] = [
  ...prepared('is-ranged'),
  {
    what: 'prepare a range',
    method: 'POST',
    path: `${inNamespace('is-ranged')}/limitranges`,
    body: {
      metadata: { name: 'l' },
      spec: {
        limits: [
          {
            type: 'Container',
            min: { cpu: '100m' },
            max: { cpu: '1', memory: '1Gi' },
            default: { cpu: '500m' },
            defaultRequest: { cpu: '200m' },
            maxLimitRequestRatio: { cpu: '2' },
          },
          { type: 'Pod', max: { cpu: '1500m' }, min: { memory: '10Mi' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
        ],
      },
    },
    until: `${inNamespace('is-ranged')}/limitranges/l`,
  },
  ...[{}, { cpu: '50m' }, { cpu: '2' }].map((requests) => asked('is-ranged', resources(requests))),
  asked('is-ranged', resources({ cpu: '100m' }, { cpu: '1' })),
  asked('is-ranged', resources({ cpu: '900m', memory: '20Mi' }, { cpu: '1', memory: '2Gi' })),
  ...['500Mi', '3Gi', '1Gi'].map(
    (storage): Step => ({
      what: `a claim of ${storage}`,
      method: 'POST',
      path: `${inNamespace('is-ranged')}/persistentvolumeclaims?dryRun=All`,
      body: { metadata: { name: 'x' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } },
    }),
  ),
];

const classed: readonly object[] = [
  { priorityClassName: 'none' },
  { priorityClassName: 'high-class' },
  { priorityClassName: 'high-class', priority: 1 },
  { priority: 5 },
  { priorityClassName: 'high-class', preemptionPolicy: 'PreemptLowerPriority' },
  { runtimeClassName: 'none' },
  { runtimeClassName: 'run-class' },
  { runtimeClassName: 'run-class', overhead: { cpu: '1' } },
  { overhead: { cpu: '1' } },
  { runtimeClassName: 'run-class', nodeSelector: { a: 'z' } },
  { serviceAccountName: 'none' },
];

const classes: readonly Step[] = [
  ...prepared('is-classed'),
  {
    what: 'prepare a priority',
    method: 'POST',
    path: '/apis/scheduling.k8s.io/v1/priorityclasses',
    body: { metadata: { name: 'high-class' }, value: 1000, preemptionPolicy: 'Never' },
  },
  {
    what: 'prepare a runtime',
    method: 'POST',
    path: '/apis/node.k8s.io/v1/runtimeclasses',
    body: {
      metadata: { name: 'run-class' },
      handler: 'h',
      overhead: { podFixed: { cpu: '10m' } },
      scheduling: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'x', operator: 'Exists' }] },
    },
    until: '/apis/node.k8s.io/v1/runtimeclasses/run-class',
  },
  ...classed.map((spec) => asked('is-classed', spec)),
];

const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';

function policy(expression: string, part: 'expression' | 'condition' | 'message'): Step {
  const validations = [
    part === 'expression'
      ? { expression }
      : { expression: 'true', ...(part === 'message' ? { messageExpression: expression } : {}) },
  ];
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }];
  return {
    what: `${part} of a policy: ${expression}`,
    method: 'POST',
    path: `${policies}?dryRun=All`,
    body: {
      metadata: { name: 'policy' },
      spec: {
        matchConstraints: { resourceRules },
        validations,
        ...(part === 'condition' ? { matchConditions: [{ name: 'a', expression }] } : {}),
      },
    } as Json,
  };
}

const policyExpressions: readonly string[] = [
  'true',
  '1',
  '',
  'object.x',
  'request.none',
  'params.x',
  'variables.v',
  'authorizer.group("").resource("pods").check("get").allowed()',
];

/** What the plugins of admission say of pods, claims and policies. */
export const admission: readonly Step[] = [
  ...podSecurity,
  ...ranges,
  ...classes,
  ...policyExpressions.flatMap((expression) =>
    (['expression', 'condition', 'message'] as const).map((part) => policy(expression, part)),
  ),
];
