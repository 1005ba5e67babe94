import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Job as JobKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Job } from '#kinds/generated/types/batch_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane({
    ends: (pod) => {
      const image = pod.spec?.containers[0]?.image;
      return image === 'fails' ? 'Failed' : image === 'runs' ? undefined : 'Succeeded';
    },
  });
});

after(() => plane.stop());

async function start(name: string, image: string, change: Partial<Job['spec']> = {}): Promise<void> {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image }] } };
  await plane.client.create(JobKind, { metadata: { name, namespace }, spec: { template, ...change } });
}

const jobOf = (name: string) => plane.client.get(JobKind, { name, namespace });
const has = (type: string) => (job: Job) =>
  (job.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

async function podsOf(name: string) {
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  return (await plane.client.list(PodKind, { namespace, labelSelector })).items;
}

test('a job runs its pods to completion and counts each once', async () => {
  await start('work', 'ok', { completions: 5, parallelism: 2 });
  const job = await plane.until(() => jobOf('work'), has('Complete'));
  assert.equal(job.status?.succeeded, 5);
  assert.equal(job.status?.active, undefined);
  assert.deepEqual(job.status?.uncountedTerminatedPods, {});
  assert.notEqual(job.status?.completionTime, undefined);
  const pods = await podsOf('work');
  assert.equal(pods.length, 5);
  assert.ok(pods.every(({ metadata }) => (metadata.finalizers ?? []).length === 0));
});

test('a job that keeps failing backs off and gives up', async () => {
  await start('bad', 'fails', { backoffLimit: 2 });
  const job = await plane.until(() => jobOf('bad'), has('Failed'), 300);
  assert.equal(job.status?.failed, 3);
  const failed = job.status?.conditions?.find(({ type }) => type === 'Failed');
  assert.equal(failed?.reason, 'BackoffLimitExceeded');
});

test('an indexed job does every index', async () => {
  await start('each', 'ok', { completions: 4, parallelism: 4, completionMode: 'Indexed' });
  const job = await plane.until(() => jobOf('each'), has('Complete'));
  assert.equal(job.status?.completedIndexes, '0-3');
  const names = (await podsOf('each')).map(({ spec }) => spec?.hostname).sort();
  assert.deepEqual(names, ['each-0', 'each-1', 'each-2', 'each-3']);
});

test('a suspended job has no pods, and runs when resumed; a deadline ends it', async () => {
  await start('later', 'runs', { suspend: true, activeDeadlineSeconds: 20 });
  const job = await plane.until(() => jobOf('later'), has('Suspended'));
  assert.equal((await podsOf('later')).length, 0);
  await plane.client.update(JobKind, { ...job, spec: { ...job.spec, suspend: false } });
  await plane.until(
    () => jobOf('later'),
    ({ status }) => status?.ready === 1,
  );
  const ended = await plane.until(() => jobOf('later'), has('Failed'));
  assert.equal(ended.status?.conditions?.find(({ type }) => type === 'Failed')?.reason, 'DeadlineExceeded');
});

test('indexes are written as ranges', () => {
  assert.equal(formatIndexes(new Set([7, 1, 3, 4, 5, 10, 11])), '1,3-5,7,10,11');
  assert.deepEqual([...parseIndexes('1,3-5,7')], [1, 3, 4, 5, 7]);
});

test('the running pods of a deleted job go with it', async () => {
  await start('cut', 'runs', { completions: 2, parallelism: 2 });
  await plane.until(
    () => jobOf('cut'),
    ({ status }) => status?.active === 2,
  );
  await plane.client.delete(JobKind, { name: 'cut', namespace }, { propagationPolicy: 'Background' });
  await plane.until(
    () => podsOf('cut'),
    (pods) => pods.length === 0,
  );
});

test('a pod that its job let go can be deleted', async () => {
  await start('loose', 'runs', { completions: 1, parallelism: 1 });
  const [pod] = await plane.until(
    () => podsOf('loose'),
    (pods) => pods.length === 1,
  );
  const ref = { name: pod?.metadata.name ?? '', namespace };
  await plane.client.patch(PodKind, ref, {
    type: 'merge',
    body: { metadata: { labels: { 'controller-uid': null, 'batch.kubernetes.io/controller-uid': null } } },
  });
  await plane.until(
    () => plane.client.get(PodKind, ref),
    ({ metadata }) => (metadata.finalizers ?? []).length === 0,
  );
});

test('what became of jobs, their pods and their indexes is counted', async () => {
  const page = (): Map<string, number> =>
    new Map(
      plane.metrics
        .render()
        .split('\n')
        .filter((line) => line.startsWith('job_controller_'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  const before = page();
  await start('counted', 'ok', { completions: 3, parallelism: 3, completionMode: 'Indexed' });
  await start('hopeless', 'fails', { backoffLimit: 0 });
  await plane.until(() => jobOf('counted'), has('Complete'));
  await plane.until(() => jobOf('hopeless'), has('Failed'));
  const after = page();
  const grown = (series: string): number => (after.get(series) ?? 0) - (before.get(series) ?? 0);
  assert.deepEqual(
    [
      'job_controller_jobs_finished_total{completion_mode="Indexed",result="succeeded",reason="CompletionsReached"}',
      'job_controller_jobs_finished_total{completion_mode="NonIndexed",result="failed",reason="BackoffLimitExceeded"}',
      'job_controller_job_pods_finished_total{completion_mode="Indexed",result="succeeded"}',
      'job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="failed"}',
      'job_controller_job_finished_indexes_total{status="succeeded",backoffLimit="global"}',
      'job_controller_job_pods_creation_total{reason="new",status="succeeded"}',
    ].map(grown),
    [1, 1, 3, 1, 3, 4],
  );
  const created = { completion_mode: 'Indexed', result: 'success', action: 'pods_created' };
  const labels = Object.entries(created).map(([name, value]) => `${name}="${value}"`);
  assert.ok(grown(`job_controller_job_syncs_total{${labels.join(',')}}`) > 0);
});
