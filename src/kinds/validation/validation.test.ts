import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#base/random.ts';
import { conform } from '#machinery/conform.ts';
import { type ApiObject, apiVersionOf, type JsonObject, type Mutable } from '#machinery/meta.ts';
import type { RuleContext } from '../kind.ts';
import { resourceRows } from '../resources.ts';
import { rulesFor } from '../rules.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const context: RuleContext = { random: seededRandom(1), now: 0, featureEnabled: () => true };

/** What the server says of a new object, as `path: message` lines. */
function problems(apiVersion: string, kind: string, spec: object, more: object = {}): string[] {
  const row = resourceRows.find((candidate) => apiVersionOf(candidate) === apiVersion && candidate.kind === kind)!;
  const rules = rulesFor(row);
  const sent = { apiVersion, kind, metadata: { name: 'a', namespace: 'default', uid: 'u' }, spec, ...more };
  const object = structuredClone(conform(sent, row.schema).value) as unknown as Mutable<ApiObject>;
  rules.defaults?.(object);
  rules.prepareForCreate?.(object, context);
  return (rules.validate?.(object, context) ?? []).map(({ path, message }) => `${path}: ${message}`);
}

const container = { name: 'c', image: 'x' };
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } };

test('a good object of each kind passes', () => {
  assert.deepEqual(problems('v1', 'Pod', { containers: [container] }), []);
  assert.deepEqual(problems('apps/v1', 'Deployment', { selector: { matchLabels: { a: 'b' } }, template }), []);
  assert.deepEqual(problems('apps/v1', 'DaemonSet', { selector: { matchLabels: { a: 'b' } }, template }), []);
  assert.deepEqual(
    problems('apps/v1', 'StatefulSet', { selector: { matchLabels: { a: 'b' } }, template, serviceName: 's' }),
    [],
  );
  assert.deepEqual(
    problems('batch/v1', 'Job', { template: { spec: { containers: [container], restartPolicy: 'Never' } } }),
    [],
  );
  const jobTemplate = { spec: { template: { spec: { containers: [container], restartPolicy: 'OnFailure' } } } };
  assert.deepEqual(problems('batch/v1', 'CronJob', { schedule: '*/5 1-3 * jan mon-fri', jobTemplate }), []);
  assert.deepEqual(problems('v1', 'Service', { ports: [{ port: 80 }], selector: { a: 'b' } }), []);
  assert.deepEqual(problems('v1', 'Service', { type: 'ExternalName', externalName: 'example.com' }), []);
  const backend = { service: { name: 's', port: { number: 80 } } };
  const rules = [{ host: '*.a.b', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }];
  assert.deepEqual(problems('networking.k8s.io/v1', 'Ingress', { rules }), []);
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  assert.deepEqual(problems('v1', 'PersistentVolumeClaim', claim), []);
});

test('pods are refused for the reasons and at the paths that upstream names', () => {
  const spec = {
    containers: [
      {
        name: 'A.b',
        ports: [
          { containerPort: 70000, name: 'web' },
          { containerPort: 1, name: 'web' },
        ],
        env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }],
        volumeMounts: [{ name: 'none', mountPath: '/a' }],
        resources: { requests: { cpu: '2', memory: '-1' }, limits: { cpu: '1' } },
        livenessProbe: { successThreshold: 2, exec: {} },
        imagePullPolicy: 'Sometimes',
      },
    ],
    volumes: [{ name: 'v', hostPath: {}, secret: { secretName: 's' } }],
    restartPolicy: 'Perhaps',
    tolerations: [{ operator: 'Equal' }],
  };
  assert.deepEqual(problems('v1', 'Pod', spec).sort(), [
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
    'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    'spec.containers[0].image: Required value',
    'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    'spec.containers[0].livenessProbe.exec.command: Required value',
    'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
    "spec.containers[0].name: Invalid value: \"A.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    'spec.containers[0].ports[1].name: Duplicate value: "web"',
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
    'spec.containers[0].volumeMounts[0].name: Not found: "none"',
    'spec.restartPolicy: Unsupported value: "Perhaps": supported values: "Always", "OnFailure", "Never"',
    'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    'spec.volumes[0].hostPath.path: Required value',
    'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type',
  ]);
});

test('workloads are refused for the reasons that upstream names', () => {
  assert.deepEqual(
    problems('apps/v1', 'Deployment', { selector: { matchLabels: { a: 'c' } }, template, replicas: -1 }),
    [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
    ],
  );
  assert.deepEqual(problems('apps/v1', 'Deployment', { template, strategy: { type: 'Recreate', rollingUpdate: {} } }), [
    'spec.selector: Required value',
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ]);
  assert.deepEqual(problems('batch/v1', 'Job', { template }), [
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ]);
  assert.deepEqual(problems('v1', 'Service', { ports: [{ port: 80 }, { port: 80, name: 'a', nodePort: 30000 }] }), [
    'spec.ports[0].name: Required value',
    "spec.ports[1].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
  ]);
});

test('metadata is checked for every kind', () => {
  const options = { namespaced: true, nameRule: 'subdomain' } as const;
  const lines = (metadata: object): string[] =>
    validateObjectMeta(metadata as JsonObject, options).map(({ path, message }) => `${path}: ${message}`);
  assert.deepEqual(lines({ name: 'a', namespace: 'b', generateName: 'a-' }), []);
  assert.deepEqual(lines({ namespace: 'b' }), ['metadata.name: Required value: name or generateName is required']);
  assert.equal(lines({ name: 'A', namespace: 'b', labels: { 'a/b/c': 'x y' } }).length, 3);
  const update = validateObjectMetaUpdate({ name: 'a', uid: 'v' }, { name: 'a', uid: 'u', generation: 2 }, undefined);
  assert.deepEqual(
    update.map(({ path, message }) => `${path}: ${message}`),
    [
      'metadata.generation: Invalid value: 0: must not be decremented',
      'metadata.uid: Invalid value: "v": field is immutable',
    ],
  );
});

test('a pod changes only where it may', () => {
  const rules = rulesFor({ group: '', version: 'v1', kind: 'Pod' });
  const old = { metadata: {}, spec: { containers: [container], tolerations: [{ key: 'a', operator: 'Exists' }] } };
  const change = (spec: object): string[] =>
    (rules.validateUpdate?.({ metadata: {}, spec } as ApiObject, old as unknown as ApiObject, context) ?? []).map(
      ({ path, message }) => `${path}: ${message.split('\n')[0]!.slice(0, 57)}`,
    );
  assert.deepEqual(change({ ...old.spec, containers: [{ name: 'c', image: 'y' }] }), []);
  assert.deepEqual(
    change({ ...old.spec, tolerations: [...old.spec.tolerations, { key: 'b', operator: 'Exists' }] }),
    [],
  );
  assert.deepEqual(change({ ...old.spec, tolerations: [] }), [
    'spec.tolerations: Forbidden: existing toleration can not be modified except',
  ]);
  assert.deepEqual(change({ ...old.spec, nodeName: 'n' }), [
    'spec: Forbidden: pod updates may not change fields other than `',
  ]);
});

/** The warnings that a new object brings, in order. */
function warningsOf(apiVersion: string, kind: string, object: object): readonly string[] {
  const row = resourceRows.find((candidate) => apiVersionOf(candidate) === apiVersion && candidate.kind === kind)!;
  return rulesFor(row).warnings?.({ apiVersion, kind, ...object } as ApiObject, undefined) ?? [];
}

test('pods and templates warn of ports, variables and files that get in each other’s way', () => {
  const ports = [
    { containerPort: 80, protocol: 'TCP', name: 'web' },
    { containerPort: 80, protocol: 'TCP', hostPort: 8080 },
  ];
  const env = [
    { name: 'PATH', value: '/bin' },
    { name: 'PATH', value: '/opt:$(PATH)' },
    { name: 'PATH', value: '/opt' },
  ];
  const items = [
    { key: 'a', path: 'conf' },
    { key: 'b', path: 'conf/b' },
  ];
  const spec = {
    containers: [{ ...container, ports, env, resources: { limits: { memory: '100m' } } }],
    volumes: [{ name: 'v', configMap: { name: 'm', items } }],
  };
  const expected = (at: string): string[] => [
    'volume "v" (ConfigMap "m"): overlapping paths: "conf/b" with "conf"',
    `${at}.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer`,
    `${at}.containers[0].env[2]: hides previous definition of "PATH", which may be dropped when using apply`,
    `${at}.containers[0].ports[1]: overlapping port definition with ${at}.containers[0].ports[0]`,
  ];
  assert.deepEqual(warningsOf('v1', 'Pod', { metadata: { name: 'a' }, spec }), expected('spec'));
  assert.deepEqual(
    warningsOf('apps/v1', 'Deployment', { metadata: { name: 'a', generation: 1 }, spec: { template: { spec } } }),
    expected('spec.template.spec'),
  );
});
