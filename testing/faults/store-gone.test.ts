import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { accessOf } from '../access.ts';
import { Asker } from '../differential/exchange.ts';
import { ProaProcess, until } from '../e2e/proa.ts';
import { hasEtcd, startEtcd } from '../etcd.ts';

/** Longer than the leases of the controllers and the scheduler. */
const goneMs = Number(process.env['PROA_STORE_GONE_MS'] ?? 20_000);
/** What a request may take that the store never answers. */
const answerLimitMs = 45_000;
const backLimitMs = 30_000;
const configMaps = '/api/v1/namespaces/default/configmaps';

if (hasEtcd) {
  test('a store that is gone for a while: requests end with a Status, health tells, and all goes on without a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proa-gone-'));
    const etcd = await startEtcd(folder);
    const server = await ProaProcess.start({ nodes: 0, simulatedNodes: 1, etcdServers: etcd.endpoints });
    const asker = new Asker(accessOf(server.kubeconfig));
    const get = (path: string) => asker.ask({ method: 'GET', path });
    const create = (name: string) => {
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
      return asker.ask({ method: 'POST', path: configMaps, body });
    };
    try {
      assert.equal((await create('before')).status, 201);
      await etcd.kill(0);
      const goneAt = performance.now();
      const waiting = [create('during'), get(`${configMaps}/before`), get(configMaps)];
      const health = await Promise.all(['/livez?verbose', '/readyz?verbose'].map(get));
      for (const { status, body } of health) {
        assert.equal(status, 500);
        assert.match(body, /\[-\]etcd failed: reason withheld/);
      }
      assert.equal((await get(`${configMaps}/before?resourceVersion=0`)).status, 200, 'what may be old is still read');
      for (const { status, body } of await Promise.all(waiting)) {
        const { kind, reason } = JSON.parse(body);
        assert.equal(kind, 'Status');
        assert.ok(status === 504 ? reason === 'Timeout' : status === 500 && reason === 'InternalError', body);
      }
      assert.ok(performance.now() - goneAt < answerLimitMs);
      await pause(Math.max(0, goneMs - (performance.now() - goneAt)));
      await etcd.restart(0);
      await until(
        async () => (await get('/readyz')).status,
        (status) => status === 200,
        backLimitMs,
      );
      assert.equal((await create('after')).status, 201);
      const labels = { app: 'web' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } };
      const spec = { replicas: 2, selector: { matchLabels: labels }, template };
      const path = '/apis/apps/v1/namespaces/default/deployments';
      const body = JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
      assert.equal((await asker.ask({ method: 'POST', path, body })).status, 201);
      await until(
        async () => JSON.parse((await get(`${path}/web`)).body).status?.readyReplicas,
        (ready) => ready === 2,
        backLimitMs,
      );
    } finally {
      asker.close();
      await server.remove();
      await etcd.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
}
