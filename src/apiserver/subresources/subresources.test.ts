import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Client } from '#client/client.ts';
import { Pod, PodDisruptionBudget, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';

const namespace = 'default';

async function startWithAccount(t: TestContext): Promise<Client> {
  const { client, stop } = await startApiServer();
  t.after(stop);
  await client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  return client;
}

/** A pod of an application on a node, in a phase and ready or not. */
async function run(
  client: Client,
  name: string,
  phase = 'Running',
  ready = 'True',
  more: object = {},
): Promise<PodObject> {
  const spec = { nodeName: 'n1', containers: [{ name: 'main', image: 'app' }] };
  const labels = { app: name.split('-')[0]! };
  const pod = await client.create(Pod, { metadata: { name, namespace, labels, ...more }, spec } as never);
  const status = { phase, conditions: [{ type: 'Ready', status: ready }] };
  return client.updateStatus(Pod, { ...pod, status } as never);
}

/** A budget for the pods of an application, as its controller has left it. */
async function guard(client: Client, app: string, counted: object, spec: object = {}): Promise<void> {
  const budget = await client.create(PodDisruptionBudget, {
    metadata: { name: app, namespace },
    spec: { minAvailable: 1, selector: { matchLabels: { app } }, ...spec },
  } as never);
  const status = { observedGeneration: 1, desiredHealthy: 1, currentHealthy: 1, expectedPods: 2, ...counted };
  await client.updateStatus(PodDisruptionBudget, { ...budget, status } as never);
}

function evict(client: Client, name: string, deleteOptions: object = {}): Promise<unknown> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
  return client.createSubresource(Pod, { name, namespace }, 'eviction', body as never);
}

/** What a refusal says: its code, seconds to wait, and what of its causes. */
async function refusal(answer: Promise<unknown>): Promise<readonly unknown[]> {
  const error = await answer.then(
    () => assert.fail('nothing was refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiError, String(error));
  const { code, details } = error.status;
  return [
    code,
    details?.retryAfterSeconds,
    (details?.causes ?? []).map(({ reason, message }) => `${reason}: ${message}`).join(),
  ];
}

async function debugged(client: Client, pod: object): Promise<PodObject> {
  const { name } = (pod as PodObject).metadata;
  const answer = await client.updateSubresource(Pod, { name: name!, namespace }, 'ephemeralcontainers', pod);
  return answer as unknown as PodObject;
}

function readPod(client: Client, name: string): Promise<PodObject> {
  return client.get(Pod, { name, namespace });
}

test('an eviction takes from the budget of a ready pod, and waits when there is nothing left', async (t) => {
  const client = await startWithAccount(t);
  await guard(client, 'web', { disruptionsAllowed: 1, currentHealthy: 2 });
  await Promise.all(['web-1', 'web-2'].map((name) => run(client, name)));
  await evict(client, 'web-1', { dryRun: ['All'] });
  assert.equal((await readPod(client, 'web-1')).metadata.deletionTimestamp, undefined);
  await evict(client, 'web-1', { gracePeriodSeconds: 7 });
  const { metadata, status } = await readPod(client, 'web-1');
  assert.equal(metadata.deletionGracePeriodSeconds, 7);
  assert.equal(status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason, 'EvictionByEvictionAPI');
  const budget = await client.get(PodDisruptionBudget, { name: 'web', namespace });
  assert.deepEqual(
    [budget.status?.disruptionsAllowed, Object.keys(budget.status?.disruptedPods ?? {})],
    [0, ['web-1']],
  );
  assert.equal(budget.status?.conditions?.[0]?.reason, 'InsufficientPods');
  const full = 'DisruptionBudget: The disruption budget web does not allow evicting pods currently';
  assert.deepEqual(await refusal(evict(client, 'web-2')), [429, undefined, full]);
  // A budget that nobody has counted yet.
  await guard(client, 'new', { observedGeneration: 0, disruptionsAllowed: 1 });
  await run(client, 'new-1');
  const counting = 'DisruptionBudget: The disruption budget new is still being processed by the server.';
  assert.deepEqual(await refusal(evict(client, 'new-1')), [429, 10, counting]);
});

test('pods that do not serve anybody go without a budget: those that are over or pending, and unready ones (KEP-3017)', async (t) => {
  const client = await startWithAccount(t);
  const counts = { disruptionsAllowed: 0, currentHealthy: 0 };
  await guard(client, 'any', counts, { unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  await guard(client, 'strict', counts);
  await guard(client, 'healthy', { ...counts, currentHealthy: 1 });
  const outcome = async (name: string, phase: string, ready: string): Promise<string> => {
    await run(client, name, phase, ready);
    return evict(client, name).then(
      () => 'gone',
      (error: ApiError) => error.reason ?? '',
    );
  };
  assert.equal(await outcome('any-1', 'Running', 'False'), 'gone');
  assert.equal(await outcome('any-2', 'Running', 'True'), 'TooManyRequests');
  assert.equal(await outcome('strict-1', 'Running', 'False'), 'TooManyRequests');
  assert.equal(await outcome('strict-2', 'Succeeded', 'True'), 'gone');
  assert.equal(await outcome('strict-3', 'Pending', 'False'), 'gone');
  assert.equal(await outcome('healthy-1', 'Running', 'False'), 'gone');
  assert.equal(await outcome('healthy-2', 'Running', 'True'), 'TooManyRequests');
});

test('an eviction is of the pod that it names, as its evictor knew it', async (t) => {
  const client = await startWithAccount(t);
  await run(client, 'db-1');
  const name = 'db-1';
  const other = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'db-2' } };
  const misnamed = client.createSubresource(Pod, { name, namespace }, 'eviction', other as never);
  await assert.rejects(misnamed, { message: 'name in URL does not match name in Eviction object' });
  assert.equal((await refusal(evict(client, name, { preconditions: { uid: 'another' } })))[0], 409);
  assert.equal((await refusal(evict(client, name, { preconditions: { resourceVersion: '1' } })))[0], 409);
  assert.equal((await refusal(evict(client, name, { propagationPolicy: 'Sideways' })))[0], 422);
  const { metadata } = await readPod(client, name);
  assert.equal(metadata.deletionTimestamp, undefined);
  const { uid, resourceVersion } = metadata;
  await evict(client, name, { preconditions: { uid, resourceVersion } });
  assert.notEqual((await readPod(client, name)).metadata.deletionTimestamp, undefined);
});

test('ephemeral containers are added, and nothing else of the pod changes; what is there stays as it is', async (t) => {
  const client = await startWithAccount(t);
  await run(client, 'web-1');
  const put = (containers: readonly object[] | undefined, spec: object = {}): Promise<PodObject> => {
    const next = async (): Promise<PodObject> => {
      const pod = await readPod(client, 'web-1');
      const { ephemeralContainers: _, ...rest } = pod.spec;
      const changed = { ...rest, ...spec, ...(containers === undefined ? {} : { ephemeralContainers: containers }) };
      return debugged(client, { ...pod, spec: changed });
    };
    return next();
  };
  const debug = { name: 'debug', image: 'busybox', targetContainerName: 'main', stdin: true };
  const { spec, metadata } = await put([debug], {
    activeDeadlineSeconds: 1,
    containers: [{ name: 'main', image: 'x' }],
  });
  assert.deepEqual(
    [spec.ephemeralContainers?.[0]?.name, spec.containers[0]?.image, spec.activeDeadlineSeconds, metadata.generation],
    ['debug', 'app', undefined, 2],
  );
  const kept = spec.ephemeralContainers!;
  const fields = async (containers: readonly object[] | undefined): Promise<string> => {
    const error = await put(containers).then(
      () => assert.fail('nothing was refused'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApiError);
    return (error.status.details?.causes ?? []).map(({ field, reason }) => `${field} ${reason}`).join();
  };
  const at = 'spec.ephemeralContainers';
  assert.equal(await fields(undefined), `${at} FieldValueForbidden`);
  assert.equal(await fields([{ ...kept[0], image: 'other' }]), `${at} FieldValueForbidden`);
  assert.equal(await fields([...kept, { name: 'main', image: 'x' }]), `${at}[1].name FieldValueDuplicate`);
  assert.equal(await fields([...kept, { name: 'more' }]), `${at}[1].image FieldValueRequired`);
  assert.equal(
    await fields([...kept, { name: 'more', image: 'x', targetContainerName: 'none' }]),
    `${at}[1].targetContainerName FieldValueNotFound`,
  );
  assert.equal(
    await fields([...kept, { name: 'more', image: 'x', ports: [{ containerPort: 80 }] }]),
    `${at}[1].ports FieldValueForbidden`,
  );
  await run(client, 'static-1', 'Running', 'True', { annotations: { 'kubernetes.io/config.mirror': 'x' } });
  const mirror = await readPod(client, 'static-1');
  const added = { ...mirror, spec: { ...mirror.spec, ephemeralContainers: [{ name: 'debug', image: 'x' }] } };
  await assert.rejects(debugged(client, added), {
    message: 'Pod "static-1" is invalid: []: Forbidden: static pods do not support ephemeral containers',
  });
});
