import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startControllers } from '#controllers/index.ts';
import { Job, Node, Pod, PodGroup, ServiceAccount, Workload } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';

const namespace = 'default';
const containers = [{ name: 'a', image: 'x' }];
const finalizer = 'scheduling.k8s.io/podgroup-protection';
const gang = { schedulingPolicy: { gang: { minCount: 2 } } };

async function start(featureGates: Readonly<Record<string, boolean>>) {
  const api = await startApiServer({ featureGates });
  await api.client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  return api;
}

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(isReason(error, 'Forbidden'));
  assert.match((error as Error).message, message);
  return true;
};

test('a pod group is made after a template that there is, and stays while its pods may run', async (t) => {
  const { client, environment, stop } = await start({ GenericWorkload: true });
  const stopping = new AbortController();
  const featureEnabled = (gate: string): boolean => gate === 'GenericWorkload';
  const running = startControllers({ client, environment, rootCa: '', featureEnabled, kinds: [] }, stopping.signal);
  t.after(async () => {
    stopping.abort();
    await running;
    await stop();
  });
  const group = (name: string, workloadName: string, podGroupTemplateName: string) =>
    client.create(PodGroup, {
      metadata: { name, namespace },
      spec: { ...gang, podGroupTemplateRef: { workload: { workloadName, podGroupTemplateName } } },
    });
  await assert.rejects(group('g', 'w', 'workers'), refused(/PodGroup rejected: Workload "w" not found/));
  await client.create(Workload, {
    metadata: { name: 'w', namespace },
    spec: { podGroupTemplates: [{ name: 'workers', ...gang }] },
  });
  await assert.rejects(group('g', 'w', 'drivers'), refused(/PodGroupTemplate "drivers" not found in Workload "w"/));
  assert.deepEqual((await group('g', 'w', 'workers')).metadata.finalizers, [finalizer]);

  await client.create(Pod, {
    metadata: { name: 'p', namespace },
    spec: { containers, schedulingGroup: { podGroupName: 'g' } },
  });
  await client.delete(PodGroup, { namespace, name: 'g' });
  await environment.clock.advance(1000);
  assert.deepEqual((await client.get(PodGroup, { namespace, name: 'g' })).metadata.finalizers, [finalizer]);
  await client.delete(Pod, { namespace, name: 'p' }, { gracePeriodSeconds: 0 });
  await environment.clock.advance(1000);
  await assert.rejects(client.get(PodGroup, { namespace, name: 'g' }), (error) => isReason(error, 'NotFound'));
});

test('a job whose pods are scheduled all or none keeps its parallelism', async (t) => {
  const { client, stop } = await start({ GenericWorkload: true, WorkloadWithJob: true });
  t.after(stop);
  const job = await client.create(Job, {
    metadata: { name: 'j', namespace },
    spec: { parallelism: 2, template: { spec: { containers, restartPolicy: 'Never' } } },
  });
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: job.metadata.uid!, controller: true };
  const grown = { ...job, spec: { ...job.spec, parallelism: 3 } };
  await client.create(PodGroup, { metadata: { name: 'other', namespace }, spec: gang });
  const current = await client.update(Job, grown);
  await client.create(PodGroup, { metadata: { name: 'own', namespace, ownerReferences: [owner] }, spec: gang });
  await assert.rejects(
    client.update(Job, { ...current, spec: { ...current.spec, parallelism: 4 } }),
    refused(/cannot change parallelism for a Job referencing gang-scheduled PodGroup "own"/),
  );
  await client.update(Job, { ...current, metadata: { ...current.metadata, labels: { a: 'b' } } });
});

test('without the gate, groups have no finalizer and templates are not looked for', async (t) => {
  const { client, stop } = await start({});
  t.after(stop);
  const workload = { workloadName: 'no', podGroupTemplateName: 'no' };
  const spec = { ...gang, podGroupTemplateRef: { workload } };
  const group = await client.create(PodGroup, { metadata: { name: 'g', namespace }, spec });
  assert.equal(group.metadata.finalizers, undefined);
});

test('a running pod changes only in ways that its node has declared', async (t) => {
  const { client, stop } = await start({});
  t.after(stop);
  const cpu = (amount: string) => ({ requests: { cpu: amount }, limits: { cpu: amount } });
  const allocatable = { cpu: '8', memory: '8Gi' };
  const feature = 'InPlacePodLevelResourcesVerticalScaling';
  for (const [name, declaredFeatures] of [
    ['old', []],
    ['new', [feature]],
  ] as const) {
    await client.create(Node, { metadata: { name }, spec: {}, status: { allocatable, declaredFeatures } });
    const created = await client.create(Pod, {
      metadata: { name: `on-${name}`, namespace },
      spec: { nodeName: name, containers, resources: cpu('1') },
    });
    const resized = { ...created, spec: { ...created.spec, resources: cpu('2') } };
    const answer = client.updateSubresource(Pod, { namespace, name: `on-${name}` }, 'resize', resized);
    if (name === 'new') await answer;
    else
      await assert.rejects(
        answer,
        refused(new RegExp(`requires features ${feature} which are not available on node "old"`)),
      );
  }
});
