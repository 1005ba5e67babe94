import { PublishedServer } from '#apiserver/bootstrap/kubernetes-endpoints.ts';
import { connectRoutes, upgradeHandler } from '#apiserver/connect/connect.ts';
import { browserFilter } from '#apiserver/http/browsers.ts';
import { HttpFront } from '#apiserver/http/front.ts';
import { healthChecks } from '#apiserver/http/health.ts';
import { ServerMetrics } from '#apiserver/http/metrics.ts';
import { pathRoutes } from '#apiserver/http/paths.ts';
import { versionInfo } from '#apiserver/http/version.ts';
import { OpenApi } from '#apiserver/openapi/serve.ts';
import { ApiServer } from '#apiserver/server.ts';
import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { createLog, type Log } from '#base/log.ts';
import { aborted } from '#base/tasks.ts';
import { aggregated } from '#machinery/errors.ts';
import { machineAddress } from '../config.ts';
import { loadDescriptions } from '../descriptions.ts';
import { servingHosts } from '../pki.ts';
import { apiServerFlags, withoutEffect } from './flag-names.ts';
import { FlagError, type Flags, parseApiServerFlags } from './flags.ts';
import { metricOptions } from './metric-flags.ts';
import { fileOf, given, serverOptions } from './options.ts';
import { protocolOptions } from './protocol.ts';
import { namedCertificates, servingCertificate } from './serving.ts';
import { openStore } from './stores.ts';

const defaultPort = 6443;
const defaultServiceCidr = '10.0.0.0/24';

/** The API server alone, with kube-apiserver's flags. @returns the exit code. */
export async function runApiServer(
  args: readonly string[],
  { clock, random }: Pick<Environment, 'clock' | 'random'>,
): Promise<number> {
  let flags: Flags;
  try {
    flags = parseApiServerFlags(args);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
  if (flags.boolean('help') === true) {
    process.stdout.write(help());
    return 0;
  }
  if (flags.has('version')) {
    process.stdout.write(`Kubernetes ${versionInfo.gitVersion}\n`);
    return 0;
  }
  const problems = missing(flags);
  if (problems.length > 0) {
    process.stderr.write(`"command failed" err=${JSON.stringify(aggregated(problems))}\n`);
    return 1;
  }
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stopping.abort(new Error(`received ${signal}`)));
  try {
    await serve(flags, { clock, random, log: logOf(flags, clock.now) }, stopping.signal);
    return 0;
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    process.stderr.write(
      `"command failed" err=${JSON.stringify(error instanceof Error ? error.message : String(error))}\n`,
    );
    return 1;
  }
}

/** Warnings unless `-v` asks for more: from 2 on what goes on, from 4 on what it takes. */
function logOf(flags: Flags, now: () => number): Log {
  const verbosity = flags.whole('v') ?? 0;
  const format = flags.text('logging-format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new FlagError(`format: Invalid value: ${JSON.stringify(format)}: Unsupported log format`);
  const level = verbosity >= 4 ? 'debug' : verbosity >= 2 ? 'info' : 'warn';
  return createLog({ write: (line) => process.stderr.write(`${line}\n`), now, level, format });
}

function help(): string {
  const names = Object.values(apiServerFlags).flat().sort();
  const widest = Math.max(...names.map((name) => name.length));
  const line = (name: string): string =>
    withoutEffect.has(name) ? `  --${name.padEnd(widest)}  accepted without effect` : `  --${name}`;
  return ['Usage: kube-apiserver [flags]', '', ...names.map(line), ''].join('\n');
}

/** What the official server will not start without. */
function missing(flags: Flags): string[] {
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(text);
  if ((flags.list('etcd-servers') ?? []).length === 0) say('--etcd-servers must be specified');
  if (flags.text('service-account-issuer') === undefined) say('service-account-issuer is a required flag');
  if (
    flags.text('service-account-key-file') === undefined &&
    flags.text('service-account-signing-endpoint') === undefined
  )
    say('either `--service-account-key-file` or `--service-account-signing-endpoint` must be set');
  if (
    flags.text('service-account-signing-key-file') === undefined &&
    flags.text('service-account-signing-endpoint') === undefined
  )
    say('--service-account-signing-key-file and --service-account-issuer are required flags');
  return problems;
}

async function serve(flags: Flags, environment: Environment, stopping: AbortSignal): Promise<void> {
  const serviceCidr = (flags.list('service-cluster-ip-range') ?? [defaultServiceCidr])[0]!;
  const bind = flags.text('bind-address') ?? '0.0.0.0';
  const advertised = flags.text('advertise-address') ?? (isAny(bind) ? machineAddress() : bind);
  // What the flags say wrongly is told before anything is opened or written.
  const options = serverOptions(flags);
  const browsers = browserFilter(
    given({
      corsAllowedOrigins: flags.list('cors-allowed-origins'),
      strictTransportSecurity: flags.list('strict-transport-security-directives'),
    }),
  );
  const shown = metricOptions(flags);
  const named = namedCertificates(flags);
  const serving = await servingCertificate(
    flags,
    servingHosts({ address: advertised, serviceCidr }),
    environment.clock.now(),
  );
  const { store, upstreamForm } = await openStore(flags, environment);
  // Whatever fails from here on: what is open keeps the process alive.
  await using opened = new AsyncDisposableStack();
  opened.defer(() => store.close());
  const server = await ApiServer.start({ ...options, store, upstreamForm, environment, serviceCidr });
  opened.defer(() => server.tracer?.close());
  opened.defer(() => server.stop());
  const log = environment.log.named('apiserver');
  const port = flags.whole('secure-port') ?? defaultPort;
  const metrics = new ServerMetrics(server, shown);
  const front = await HttpFront.listen({
    server,
    routes: {
      connect: connectRoutes(() => undefined),
      path: pathRoutes({
        health: healthChecks(server, {
          stopping,
          canLog: () => process.stderr.writable,
          ...given({
            storeTimeoutMs: flags.durationMs('etcd-healthcheck-timeout'),
            storeReadyTimeoutMs: flags.durationMs('etcd-readycheck-timeout'),
          }),
        }),
        metrics,
        serverAddress: () => `${advertised}:${port}`,
        openApi: new OpenApi(() => loadDescriptions(log)),
        profiling: flags.boolean('profiling') !== false,
      }),
    },
    metrics,
    upgrade: upgradeHandler(server, () => undefined, { metrics, log }),
    serving,
    clientCa: [...fileOf(flags, 'client-ca-file'), ...fileOf(flags, 'requestheader-client-ca-file')],
    host: bind,
    port,
    protocol: protocolOptions(flags),
    sendsRetryAfter: flags.boolean('shutdown-send-retry-after') === true,
    browsers,
    ...given({ named, requestTimeoutMs: flags.durationMs('request-timeout') }),
    log,
  });
  // No endpoint may be on loopback: there is no way to it from anywhere else.
  const isReachable = !advertised.startsWith('127.') && advertised !== '::1';
  const reconciles = flags.text('endpoint-reconciler-type') !== 'none';
  const published =
    isReachable && reconciles ? new PublishedServer(server, { address: advertised, port: front.port }) : undefined;
  await published?.publish();
  void published?.run(stopping);
  await aborted(stopping);
  // Whoever sends requests here learns from /readyz that this server is going, and has time to go elsewhere.
  await sleep(environment.clock, flags.durationMs('shutdown-delay-duration') ?? 0);
  await published?.withdraw();
  await front.close();
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
