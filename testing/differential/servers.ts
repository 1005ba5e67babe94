import { type ChildProcess, spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectRoutes } from '#apiserver/connect/connect.ts';
import { HttpFront } from '#apiserver/http/front.ts';
import { healthChecks } from '#apiserver/http/health.ts';
import { ServerMetrics } from '#apiserver/http/metrics.ts';
import { pathRoutes } from '#apiserver/http/paths.ts';
import { OpenApi } from '#apiserver/openapi/serve.ts';
import { ApiServer } from '#apiserver/server.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { secureRandom } from '#base/random.ts';
import { loadDescriptions } from '#cmd/descriptions.ts';
import { ensurePki, type Pki } from '#cmd/pki.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { freePort } from '../e2e/proa.ts';
import { startEtcd } from '../etcd.ts';
import { type Access, Asker } from './exchange.ts';

export interface RunningServer {
  readonly access: Access;
  stop(): Promise<void>;
}

export interface OfficialServer extends RunningServer {
  /** Starts the server again, on its etcd, if its process has ended or does not answer. */
  revive(): Promise<void>;
}

const serviceCidr = '10.96.0.0/16';
const readyLimitMs = 60_000;

async function pkiIn(folder: string): Promise<Pki> {
  return ensurePki(join(folder, 'pki'), { hosts: ['localhost', '127.0.0.1'], now: Date.now() });
}

function accessOf({ authority, admin }: Pki, port: number): Access {
  return { port, ca: authority.certificate, cert: admin.certificate, key: admin.key };
}

/** Our API server alone, in memory, in this process: no controller changes what a request left. */
export async function startOurs(): Promise<RunningServer & { readonly server: ApiServer }> {
  const folder = await mkdtemp(join(tmpdir(), 'proa-differential-'));
  const pki = await pkiIn(folder);
  const environment = { clock: systemClock(), random: secureRandom(), log: silentLog };
  const store = new MemoryStore();
  const server = await ApiServer.start({
    store,
    environment,
    tokenSigningKey: pki.tokenSigningKey,
    serviceCidr,
    authentication: { clientCa: pki.authority.certificate },
    leavesPolicyStatus: true,
  });
  const stopping = new AbortController();
  const metrics = new ServerMetrics(server);
  const health = healthChecks(server, { stopping: stopping.signal, canLog: () => true });
  const front: HttpFront = await HttpFront.listen({
    server,
    routes: {
      connect: connectRoutes(() => undefined),
      path: pathRoutes({
        health,
        metrics,
        openApi: new OpenApi(() => loadDescriptions(silentLog)),
        serverAddress: () => `127.0.0.1:${front.port}`,
      }),
    },
    metrics,
    upgrade: (_request, socket) => socket.destroy(),
    serving: pki.serving,
    clientCa: pki.authority.certificate,
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
  });
  return {
    server,
    access: accessOf(pki, front.port),
    async stop() {
      stopping.abort();
      await front.close();
      server.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The official API server and an etcd, on loopback.
 * @param program the path of kube-apiserver
 */
export async function startOfficial(program: string): Promise<OfficialServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'official-'));
  const pki = await pkiIn(folder);
  const file = (name: string): string => join(folder, 'pki', name);
  const verifying = createPublicKey(pki.tokenSigningKey).export({ type: 'spki', format: 'pem' });
  await writeFile(file('sa.pub'), verifying);
  const etcd = await startEtcd(folder);
  const args = [
    `--etcd-servers=${etcd.endpoints.join(',')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--service-cluster-ip-range=${serviceCidr}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged',
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--max-requests-inflight=1000',
    '--max-mutating-requests-inflight=1000',
  ];
  let apiserver = run(folder, program, args);
  const access = accessOf(pki, port);
  const stop = async (): Promise<void> => {
    await end(apiserver);
    await etcd.stop();
    await rm(folder, { recursive: true, force: true });
  };
  await ready(access, apiserver, folder).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    access,
    stop,
    async revive() {
      if (!hasEnded(apiserver) && (await isReady(access))) return;
      await end(apiserver);
      apiserver = run(folder, program, args);
      await ready(access, apiserver, folder);
    },
  };
}

function run(folder: string, program: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, 'log'), 'a');
  return spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] });
}

async function ready(access: Access, child: ChildProcess, folder: string): Promise<void> {
  const deadline = Date.now() + readyLimitMs;
  while (!(await isReady(access))) {
    if (hasEnded(child) || Date.now() > deadline) {
      const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '');
      throw new Error(`the official server does not start: ${log.slice(-500)}`);
    }
    await pause(100);
  }
}

async function isReady(access: Access): Promise<boolean> {
  const asker = new Asker(access, 1);
  const answer = await asker.ask({ method: 'GET', path: '/readyz' }).catch(() => undefined);
  asker.close();
  return answer?.status === 200;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
