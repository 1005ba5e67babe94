import { createServer } from 'node:http';
import { storeHeader } from './stores.ts';

/** The version of etcd's interface that the answers speak of. */
const version = '3.6.5';

/** What programs that start etcd look for in its help, and pass to it. */
const knownFlags: readonly string[] = [
  'unsafe-no-fsync',
  'advertise-client-urls',
  'auth-token',
  'auth-token-ttl',
  'auto-compaction-mode',
  'auto-compaction-retention',
  'auto-tls',
  'backend-batch-interval',
  'backend-batch-limit',
  'bcrypt-cost',
  'cert-file',
  'cipher-suites',
  'client-cert-allowed-hostname',
  'client-cert-auth',
  'client-crl-file',
  'compaction-batch-limit',
  'cors',
  'data-dir',
  'debug',
  'discovery',
  'discovery-fallback',
  'discovery-proxy',
  'discovery-srv',
  'discovery-srv-name',
  'election-timeout',
  'enable-pprof',
  'enable-v2',
  'experimental-backend-bbolt-freelist-type',
  'experimental-compaction-batch-limit',
  'experimental-corrupt-check-time',
  'experimental-enable-lease-checkpoint',
  'experimental-enable-v2v3',
  'experimental-initial-corrupt-check',
  'experimental-peer-skip-client-san-verification',
  'experimental-warning-apply-duration',
  'experimental-watch-progress-notify-interval',
  'feature-gates',
  'force-new-cluster',
  'grpc-keepalive-interval',
  'grpc-keepalive-min-time',
  'grpc-keepalive-timeout',
  'heartbeat-interval',
  'host-whitelist',
  'initial-advertise-peer-urls',
  'initial-cluster',
  'initial-cluster-state',
  'initial-cluster-token',
  'initial-election-tick-advance',
  'key-file',
  'listen-client-urls',
  'listen-metrics-urls',
  'listen-peer-urls',
  'log-level',
  'log-outputs',
  'log-package-levels',
  'logger',
  'max-concurrent-streams',
  'max-request-bytes',
  'max-snapshots',
  'max-txn-ops',
  'max-wals',
  'metrics',
  'name',
  'peer-auto-tls',
  'peer-cert-allowed-cn',
  'peer-cert-allowed-hostname',
  'peer-cert-file',
  'peer-client-cert-auth',
  'peer-crl-file',
  'peer-key-file',
  'peer-trusted-ca-file',
  'pre-vote',
  'proxy',
  'proxy-dial-timeout',
  'proxy-failure-wait',
  'proxy-read-timeout',
  'proxy-refresh-interval',
  'proxy-write-timeout',
  'quota-backend-bytes',
  'snapshot-count',
  'strict-reconfig-check',
  'trusted-ca-file',
  'wal-dir',
];

/** Flags that take no value. */
const switches = new Set([
  'h',
  'help',
  'version',
  'unsafe-no-fsync',
  'force-new-cluster',
  'auto-tls',
  'peer-auto-tls',
  'client-cert-auth',
  'peer-client-cert-auth',
  'strict-reconfig-check',
  'pre-vote',
  'enable-pprof',
  'enable-v2',
  'enable-log-rotation',
  'force-new-cluster-backend',
  'socket-reuse-port',
  'socket-reuse-address',
  'feature-gates',
]);

/**
 * Stands where etcd stood: answers its health checks, and tells our own API server that objects are to be kept in its
 * memory. Who needs an etcd has one of Debian's packages.
 */
export async function runEtcd(args: readonly string[]): Promise<number> {
  const values = parse(args);
  if (values.has('help') || values.has('h')) {
    const flags = knownFlags.map((name) => `  --${name}`);
    process.stdout.write(['Usage: etcd [flags]', '', ...flags, ''].join('\n'));
    return 0;
  }
  if (values.has('version')) {
    process.stdout.write(
      `etcd Version: ${version}\nGit SHA: none\nGo Version: none\nGo OS/Arch: ${process.platform}/${process.arch}\n`,
    );
    return 0;
  }
  const urls = (values.get('listen-client-urls') ?? 'http://localhost:2379').split(',');
  const servers = await Promise.all(urls.map((url) => listen(new URL(url))));
  process.stderr.write(
    `ready to serve client requests at ${urls.join(', ')}: objects are kept in the memory of the API server\n`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  return 0;
}

/** etcd reads flags as Go's own library does: with one dash or two. */
function parse(args: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(args[at]!);
    if (match === null) throw new Error(`'${args[at]}' is not a valid flag`);
    const [, name = '', inline] = match;
    const next = args[at + 1];
    const takesNext = inline === undefined && !switches.has(name) && next !== undefined && !next.startsWith('-');
    values.set(name, inline ?? (takesNext ? args[++at]! : 'true'));
  }
  return values;
}

async function listen(url: URL) {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]!;
    const document = documents[path];
    response.setHeader(storeHeader, 'memory');
    response.setHeader('content-type', 'application/json');
    response.statusCode = document === undefined ? 404 : 200;
    response.end(JSON.stringify(document ?? { error: 'not found' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(url.port === '' ? 2379 : url.port), url.hostname, resolve);
  });
  return server;
}

const documents: Readonly<Record<string, object>> = {
  '/health': { health: 'true', reason: '' },
  '/livez': { health: 'true' },
  '/readyz': { health: 'true' },
  '/version': { etcdserver: version, etcdcluster: '3.6.0', storage: '3.6.0' },
};
