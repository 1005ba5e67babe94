import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HorizontalPodAutoscaler } from '#kinds/generated/handles.ts';
import type { HorizontalPodAutoscaler as Autoscaler } from '#kinds/generated/types/autoscaling_v2.ts';
import { startApiServer } from '#testing/cluster.ts';
import { autoscalerFromFirst, autoscalerToFirst } from './conversion.ts';

const target = (type: string, values: object) => ({ type, ...values });
const whole: Autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'a', namespace: 'default', annotations: { own: 'kept' } },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [
      { type: 'Pods', pods: { metric: { name: 'p' }, target: target('AverageValue', { averageValue: '1k' }) } },
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Service', name: 's', apiVersion: 'v1' },
          metric: { name: 'o', selector: { matchLabels: { a: 'b' } } },
          target: target('Value', { value: '2k' }),
        },
      },
      { type: 'External', external: { metric: { name: 'e' }, target: target('AverageValue', { averageValue: '3' }) } },
      {
        type: 'ContainerResource',
        containerResource: { name: 'memory', container: 'c', target: target('AverageValue', { averageValue: '1Gi' }) },
      },
      { type: 'Resource', resource: { name: 'cpu', target: target('Utilization', { averageUtilization: 50 }) } },
    ],
    behavior: { scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] } },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '1' } } },
    ],
    conditions: [{ type: 'AbleToScale', status: 'True', reason: 'a', message: 'b' }],
  },
};

test('what v2 says survives the way through v1', () => {
  const first = autoscalerToFirst(whole);
  assert.equal(first.spec.targetCPUUtilizationPercentage, 50);
  assert.equal(first.status?.currentCPUUtilizationPercentage, 40);
  assert.equal(
    first.metadata.annotations?.['autoscaling.alpha.kubernetes.io/behavior'],
    '{"ScaleDown":{"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":10,"PeriodSeconds":60}]}}',
  );
  assert.deepEqual(autoscalerFromFirst(first), whole);
});

test('a broken autoscaler is refused with the paths of its faults', async (t) => {
  const { client, stop } = await startApiServer();
  t.after(() => stop());
  const broken: Autoscaler = {
    ...whole,
    spec: {
      ...whole.spec,
      maxReplicas: 0,
      scaleTargetRef: { kind: 'Deployment', name: 'web' },
      metrics: [{ type: 'Pods' }],
    },
  };
  await assert.rejects(client.create(HorizontalPodAutoscaler, broken), {
    message:
      'HorizontalPodAutoscaler.autoscaling "a" is invalid: [spec.maxReplicas: Required value: must be set and greater than 0, spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`, spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group, spec.metrics[0].pods: Required value: must populate information for the given metric source]',
  });
});
