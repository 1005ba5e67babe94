import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conform } from '#machinery/conform.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { resourceRows } from './resources.ts';
import { rulesFor } from './rules.ts';

/** A new object as the server reads it, with its defaults. */
function defaulted(object: ApiObject): unknown {
  const row = resourceRows.find(({ group, version, kind }) => {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return apiVersion === object.apiVersion && kind === object.kind;
  })!;
  const copy = structuredClone(conform(object, row.schema).value) as unknown as Mutable<ApiObject>;
  rulesFor(row).defaults?.(copy);
  return copy;
}

test('a pod gets the defaults that the official server gives', () => {
  const pod = defaulted({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: {
      containers: [
        {
          name: 'a',
          image: 'registry:5000/web',
          ports: [{ containerPort: 80 }],
          resources: { limits: { cpu: '0.5' } },
          livenessProbe: { httpGet: { port: 80 } },
          env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      ],
      volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 's' } }],
    },
  } as ApiObject);
  assert.deepEqual((pod as { spec: unknown }).spec, {
    containers: [
      {
        name: 'a',
        image: 'registry:5000/web',
        imagePullPolicy: 'Always',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: { limits: { cpu: '500m' }, requests: { cpu: '500m' } },
        livenessProbe: {
          httpGet: { port: 80, path: '/', scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 's', secret: { secretName: 's', defaultMode: 420 } },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
  });
});

test('defaulting twice is defaulting once, for every kind', () => {
  for (const { group, version, kind, schema } of resourceRows) {
    const rules = rulesFor({ group, version, kind });
    if (rules.defaults === undefined) continue;
    const object = structuredClone(conform({ metadata: { name: 'a' }, spec: { template: {} } }, schema).value);
    rules.defaults(object as unknown as Mutable<ApiObject>);
    const once = structuredClone(object);
    rules.defaults(object as unknown as Mutable<ApiObject>);
    assert.deepEqual(object, once, kind);
  }
});
