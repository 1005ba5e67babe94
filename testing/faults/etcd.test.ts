import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { accessOf } from '../access.ts';
import { Asker } from '../differential/exchange.ts';
import { ProaProcess, until } from '../e2e/proa.ts';
import { hasEtcd, startEtcd, type TestEtcd } from '../etcd.ts';

const writers = 8;
/** Enough to see that writing goes on. */
const writes = 200;
/** What a client may notice of the death of one server or member. */
const longestGapMs = 5_000;
/** What the servers say of themselves; nothing is sent there. */
const addresses = ['10.250.0.1', '10.250.0.2', '10.250.0.3'];
/** A dead server's lease, and the round in which another one notices. */
const leaseLimitMs = 30_000;
const configMaps = '/api/v1/namespaces/default/configmaps';

/** Creates objects without end, each through whichever server answers, and notes when which was acknowledged. */
class Writers {
  readonly acknowledged: { readonly name: string; readonly atMs: number }[] = [];
  readonly #askers: readonly Asker[];
  readonly #done: Promise<unknown>;
  #stopped = false;

  constructor(askers: readonly Asker[]) {
    this.#askers = askers;
    this.#done = Promise.all(Array.from({ length: writers }, (_, writer) => this.#write(writer)));
  }

  async #write(writer: number): Promise<void> {
    let server = writer;
    for (let index = 0; !this.#stopped; index++) {
      const name = `w${writer}-${index}`;
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
      for (;;) {
        const asker = this.#askers[server % this.#askers.length]!;
        const answer = await asker.ask({ method: 'POST', path: configMaps, body }).catch(() => undefined);
        // A write whose answer was lost is there when it is tried again.
        if (answer?.status === 201 || answer?.status === 409) break;
        if (this.#stopped) return;
        server++;
        await pause(50);
      }
      this.acknowledged.push({ name, atMs: performance.now() });
    }
  }

  /** Resolves after so many more writes. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await until(
      async () => this.acknowledged.length,
      (length) => length >= wanted,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  get longestGapMs(): number {
    const times = this.acknowledged.map(({ atMs }) => atMs).sort((left, right) => left - right);
    return Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!));
  }
}

if (hasEtcd) {
  describe('three servers on an etcd of three members', () => {
    let folder: string;
    let etcd: TestEtcd;
    const servers: ProaProcess[] = [];
    let askers: readonly Asker[];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'proa-etcd-'));
      etcd = await startEtcd(folder, 3);
      const options = { nodes: 0, etcdServers: etcd.endpoints } as const;
      const first = await ProaProcess.start({ ...options, advertiseAddress: addresses[0]! });
      servers.push(first);
      servers.push(await ProaProcess.start({ ...options, advertiseAddress: addresses[1]!, besides: first }));
      const last = { simulatedNodes: 2, advertiseAddress: addresses[2]!, besides: first };
      servers.push(await ProaProcess.start({ ...options, ...last }));
      askers = servers.map(({ kubeconfig }) => new Asker(accessOf(kubeconfig)));
    });

    after(async () => {
      for (const asker of askers) asker.close();
      for (const server of servers) await server.remove();
      await etcd.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const published = async (): Promise<readonly string[]> => {
      const path = '/api/v1/namespaces/default/endpoints/kubernetes';
      const { subsets } = JSON.parse((await askers[2]!.ask({ method: 'GET', path })).body);
      type Subset = { readonly addresses: { readonly ip: string }[]; readonly ports: { readonly port: number }[] };
      return subsets
        .flatMap(({ addresses: found, ports }: Subset) => found.map(({ ip }) => `${ip}:${ports[0]!.port}`))
        .sort();
    };
    const placeOf = (index: number): string => `${addresses[index]}:${accessOf(servers[index]!.kubeconfig).port}`;

    test('what one has written the other reads at once', async () => {
      for (let round = 0; round < 50; round++) {
        const [writer, reader] = [askers[round % 3]!, askers[(round + 1) % 3]!];
        const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `seen-${round}` } });
        assert.equal((await writer.ask({ method: 'POST', path: configMaps, body })).status, 201);
        assert.equal((await reader.ask({ method: 'GET', path: `${configMaps}/seen-${round}` })).status, 200);
        const listed = JSON.parse((await reader.ask({ method: 'GET', path: configMaps })).body);
        assert.ok(
          listed.items.some(({ metadata }: { metadata: { name: string } }) => metadata.name === `seen-${round}`),
        );
        assert.equal((await reader.ask({ method: 'DELETE', path: `${configMaps}/seen-${round}` })).status, 200);
        assert.equal((await writer.ask({ method: 'GET', path: `${configMaps}/seen-${round}` })).status, 404);
      }
    });

    test('the service of the API names all servers, each with its port', async () => {
      await until(published, (found) => found.join() === [0, 1, 2].map(placeOf).join());
      const selector = 'labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes';
      const path = `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?${selector}`;
      const { items } = JSON.parse((await askers[0]!.ask({ method: 'GET', path })).body);
      type Slice = {
        readonly endpoints: { readonly addresses: string[] }[];
        readonly ports: { readonly port: number }[];
      };
      assert.deepEqual(
        items
          .flatMap(({ endpoints, ports }: Slice) =>
            endpoints.flatMap(({ addresses: found }) => found.map((address) => `${address}:${ports[0]!.port}`)),
          )
          .sort(),
        [0, 1, 2].map(placeOf),
      );
    });

    test('no two services get the same node port or address, whichever servers are asked at once', async () => {
      const made = await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const spec = { type: 'NodePort', ports: [{ port: 80 }] };
          const body = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: `np-${index}` }, spec });
          const path = '/api/v1/namespaces/default/services';
          const answer = await askers[index % 3]!.ask({ method: 'POST', path, body });
          assert.equal(answer.status, 201, answer.body);
          return JSON.parse(answer.body).spec;
        }),
      );
      assert.equal(new Set(made.map(({ ports }) => ports[0].nodePort)).size, made.length);
      assert.equal(new Set(made.map(({ clusterIP }) => clusterIP)).size, made.length);
    });

    test('a quota is never exceeded, whichever servers are asked at once', async () => {
      const create = (server: number, path: string, object: object) =>
        askers[server]!.ask({ method: 'POST', path, body: JSON.stringify(object) });
      const namespace = { kind: 'Namespace', metadata: { name: 'limited' } };
      assert.equal((await create(0, '/api/v1/namespaces', namespace)).status, 201);
      const path = '/api/v1/namespaces/limited';
      const quota = { kind: 'ResourceQuota', metadata: { name: 'few' }, spec: { hard: { 'count/secrets': '10' } } };
      assert.equal((await create(0, `${path}/resourcequotas`, quota)).status, 201);
      const quotaOf = async () =>
        JSON.parse((await askers[0]!.ask({ method: 'GET', path: `${path}/resourcequotas/few` })).body);
      await until(quotaOf, ({ status }) => status?.hard !== undefined);
      const answers = await Promise.all(
        Array.from({ length: 45 }, (_, index) =>
          create(index % 3, `${path}/secrets`, { kind: 'Secret', metadata: { name: `s-${index}` } }),
        ),
      );
      const admitted = answers.filter(({ status }) => status === 201).length;
      assert.equal(admitted, 10);
      const { items } = JSON.parse((await askers[1]!.ask({ method: 'GET', path: `${path}/secrets` })).body);
      assert.equal(items.length, 10);
    });

    test('the death of any member or of a server loses nothing and interrupts writes for less than five seconds', async (t) => {
      const work = new Writers(askers);
      await work.more(writes);
      for (const member of [0, 1, 2]) {
        await etcd.kill(member);
        await work.more(writes);
        await etcd.restart(member);
        await work.more(writes);
      }
      // A member that hangs is as bad as a dead one.
      for (const member of [0, 1, 2]) {
        const resume = etcd.freeze(member);
        await work.more(writes);
        resume();
      }
      for (const server of servers.slice(0, 2)) {
        await server.crash();
        await work.more(writes);
      }
      await work.stop();
      t.diagnostic(`writes were interrupted for ${Math.round(work.longestGapMs)} ms`);
      assert.ok(work.longestGapMs < longestGapMs, `writes were interrupted for ${Math.round(work.longestGapMs)} ms`);
      const answer = await askers[2]!.ask({ method: 'GET', path: configMaps });
      const present = new Set(
        JSON.parse(answer.body).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
      );
      assert.deepEqual(
        work.acknowledged.filter(({ name }) => !present.has(name)),
        [],
      );
    });

    test('the service of the API forgets the servers that died', async () => {
      await until(published, (found) => found.join() === placeOf(2), leaseLimitMs);
    });

    test('the server that is left takes over the controllers and the scheduler', async () => {
      const labels = { app: 'web' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } };
      const body = JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { replicas: 3, selector: { matchLabels: labels }, template },
      });
      const path = '/apis/apps/v1/namespaces/default/deployments';
      assert.equal((await askers[2]!.ask({ method: 'POST', path, body })).status, 201);
      await until(
        async () =>
          JSON.parse((await askers[2]!.ask({ method: 'GET', path: `${path}/web` })).body).status?.readyReplicas,
        (ready) => ready === 3,
      );
    });
  });
}
