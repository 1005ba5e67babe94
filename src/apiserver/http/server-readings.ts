import type { MetricLabels, Metrics } from '#base/metrics.ts';
import { APIService, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import { processReadings } from '#system/process-readings.ts';
import { type CacheCounts, maxHistory, type ResourceCache } from '../cache/resource-cache.ts';
import type { ApiServer } from '../server.ts';
import { parseIpRange } from '../services/ip-range.ts';
import type { CertificateProblems } from '../webhooks/certificates.ts';
import { versionInfo } from './version.ts';

type Readings = Generator<readonly [MetricLabels, number]>;

/** What the server keeps count of anyway, read when somebody asks: requests do not notice. */
export function describeServer(metrics: Metrics, server: ApiServer): void {
  describeAccess(metrics, server);
  describeCaches(metrics, server);
  metrics.gauge('aggregator_unavailable_apiservice', 'APIServices that are not available.', () => availability(server));
  metrics.count('aggregator_unavailable_apiservice_total', 'Times that an APIService was found unavailable.', () =>
    [...(server.aggregator?.failures.values() ?? [])].map(
      ({ name, reason, count }) => [{ name, reason }, count] as const,
    ),
  );
  describeServices(metrics, server);
  describeCertificates(metrics, 'webhooks', () => server.registry.webhooks.problems);
  describeCertificates(metrics, 'kube_aggregator', () => server.aggregator?.problems);
  metrics.gauge('apiserver_storage_size_bytes', 'How large the store is on its disk.', () => {
    const { sizeBytes } = server.registry.store;
    return sizeBytes === undefined ? [] : [[{ storage_cluster_id: 'etcd-0' }, sizeBytes]];
  });
  metrics.gauge('kubernetes_feature_enabled', 'Feature gates.', () =>
    server.features
      .all()
      .map(({ name, stage, enabled }) => [{ name, stage: stageLabel(stage) }, Number(enabled)] as const),
  );
  metrics.gauge('kubernetes_build_info', 'The version this server keeps to.', () => [[build, 1]]);
  for (const { name, type, help, read } of processReadings)
    metrics[type](name, help, () => {
      const value = read();
      return value === undefined ? [] : [[{}, value]];
    });
  metrics.gauge('version_info', 'The versions of this server.', () => [
    [{ binary: versionInfo.gitVersion.slice(1), component: 'kube', ...supported }, 1],
  ]);
}

function* availability({ aggregator, resources }: ApiServer): Readings {
  const remote = new Map([...(aggregator?.remotes ?? [])].map(({ name, isAvailable }) => [name, isAvailable]));
  for (const { value } of resources.of(APIService).storage!.cache.entries()) {
    const { name = '' } = value.object.metadata;
    yield [{ name }, remote.get(name) === false ? 1 : 0];
  }
}

/** What was wrong with the certificates of servers that this one calls. */
function describeCertificates(metrics: Metrics, of: string, problems: () => CertificateProblems | undefined): void {
  metrics.count(`apiserver_${of}_x509_missing_san_total`, 'Certificates without alternative names.', () => [
    [{}, problems()?.missingSan ?? 0],
  ]);
  metrics.count(`apiserver_${of}_x509_insecure_sha1_total`, 'Certificates signed with SHA-1.', () => [
    [{}, problems()?.insecureSha1 ?? 0],
  ]);
}

/** Addresses and ports that services have. */
function describeServices(metrics: Metrics, { resources, serviceCidr: cidr }: ApiServer): void {
  const services = resources.of(Service).storage!.cache;
  const count = (of: (service: ServiceObject) => number): number => {
    let total = 0;
    for (const { value } of services.entries()) total += of(value.object as ServiceObject);
    return total;
  };
  const addresses = (): number => count(({ spec }) => Number(!['', 'None'].includes(spec?.clusterIP ?? '')));
  metrics.gauge('kube_apiserver_clusterip_allocator_allocated_ips', 'Addresses that services have.', () => [
    [{ cidr }, addresses()],
  ]);
  // The first and the last address of a range are nobody's.
  metrics.gauge('kube_apiserver_clusterip_allocator_available_ips', 'Addresses that are free.', () => [
    [{ cidr }, parseIpRange(cidr).size - 2 - addresses()],
  ]);
  const ports = (): number =>
    count(({ spec }) => (spec?.ports ?? []).filter(({ nodePort }) => nodePort !== undefined).length);
  metrics.gauge('kube_apiserver_nodeport_allocator_allocated_ports', 'Ports of nodes that services have.', () => [
    [{}, ports()],
  ]);
}

const { emulationMajor, emulationMinor, minCompatibilityMajor, minCompatibilityMinor } = versionInfo;
const build = {
  major: versionInfo.major,
  minor: versionInfo.minor,
  git_version: versionInfo.gitVersion,
  git_commit: versionInfo.gitCommit,
  git_tree_state: versionInfo.gitTreeState,
  build_date: versionInfo.buildDate,
  go_version: versionInfo.goVersion,
  compiler: versionInfo.compiler,
  platform: versionInfo.platform,
};
const supported = {
  emulation: `${emulationMajor}.${emulationMinor}`,
  min_compat: `${minCompatibilityMajor}.${minCompatibilityMinor}`,
};

/** Stages of gates are words of their own in metrics; what is generally available has none. */
function stageLabel(stage: string): string {
  return stage === 'GA' ? '' : stage;
}

function describeCaches(metrics: Metrics, server: ApiServer): void {
  metrics.gauge('apiserver_storage_objects', 'Objects in the store by resource.', function* (): Readings {
    for (const [{ group, resource }, { size }] of caches(server))
      yield [{ resource: group === '' ? resource : `${resource}.${group}` }, size];
  });
  const perResource = (
    type: 'gauge' | 'count',
    name: string,
    help: string,
    read: (cache: ResourceCache) => number,
    more: MetricLabels = {},
  ): void =>
    metrics[type](`apiserver_${name}`, help, function* (): Readings {
      for (const [labels, cache] of caches(server)) yield [{ ...labels, ...more }, read(cache)];
    });
  perResource('gauge', 'resource_objects', 'Objects by group and resource.', ({ size }) => size);
  perResource('count', 'watch_cache_initializations_total', 'Times that the cache was filled.', () => 1);
  metrics.gauge('watch_cache_capacity', 'Events that a watch can resume from.', function* (): Readings {
    for (const [labels] of caches(server)) yield [labels, maxHistory];
  });
  perResource('gauge', 'watch_cache_resource_version', 'How far the cache is.', ({ revision }) => revision);
  const counted = (name: string, help: string, of: keyof CacheCounts, more?: MetricLabels): void =>
    perResource('count', name, help, ({ counts }) => counts[of], more);
  counted('init_events_total', 'Objects that were read at the start.', 'initial');
  counted('watch_cache_events_received_total', 'Events from the store.', 'events');
  counted('storage_events_received_total', 'The same, where the store tells of them.', 'events');
  counted('watch_cache_events_dispatched_total', 'Events that went on to watches.', 'events');
  counted('cache_list_total', 'Lists from the cache.', 'lists', { index: '' });
  counted('cache_list_fetched_objects_total', 'Objects that those looked at.', 'fetched', { index: '' });
  counted('cache_list_returned_objects_total', 'Objects that those returned.', 'returned');
  counted('storage_list_total', 'Lists from the store.', 'storeLists');
  counted('storage_list_evaluated_objects_total', 'Objects that those looked at.', 'storeFetched');
  counted('storage_list_returned_objects_total', 'Objects that those returned.', 'storeReturned');
  counted('storage_list_fetched_objects_total', 'Objects that those read.', 'storeFetched');
}

/** Each cache once, though several versions share it. */
function* caches({ resources }: ApiServer): Generator<readonly [{ group: string; resource: string }, ResourceCache]> {
  for (const { kind, storage } of resources.all()) {
    if (storage?.kind.version !== kind.version || storage.kind.group !== kind.group) continue;
    yield [{ group: kind.group, resource: kind.resource }, storage.cache];
  }
}

const tokenUses = {
  serviceaccount_valid_tokens_total: ['valid', 'Tokens of service accounts that were believed.'],
  serviceaccount_stale_tokens_total: ['stale', 'Those whose clients should have read newer ones.'],
  serviceaccount_legacy_tokens_total: ['legacy', 'Tokens of Secrets that were believed.'],
  serviceaccount_legacy_manual_token_uses_total: ['legacyManual', 'Those of Secrets that somebody made.'],
  serviceaccount_legacy_auto_token_uses_total: ['legacyAutomatic', 'Those of Secrets that were made by themselves.'],
  serviceaccount_invalid_legacy_auto_token_uses_total: ['invalidLegacy', 'Tokens refused, as nobody used them long.'],
} as const;

/** Who was believed, who was allowed; what audit and encryption have to say, where there are any. */
function describeAccess(metrics: Metrics, { auditor, encryption, registry }: ApiServer): void {
  for (const [name, [of, help]] of Object.entries(tokenUses))
    metrics.count(name, help, () => [[{}, registry.tokens.uses[of]]]);
  metrics.count('apiserver_authorization_decisions_total', 'Decisions by the authoriser that made them.', () =>
    [...(registry.authorizer.decisions?.() ?? [])].map(({ count, ...labels }) => [labels, count] as const),
  );
  metrics.count('apiserver_audit_event_total', 'Events that were noted.', () => [[{}, auditor?.written ?? 0]]);
  metrics.count('apiserver_audit_requests_rejected_total', 'Requests refused because they could not be noted.', () => [
    [{}, 0],
  ]);
  if (auditor !== undefined) {
    metrics.count('apiserver_audit_error_total', 'Events that were lost.', () => [[{ plugin: 'log' }, auditor.lost]]);
    metrics.count('apiserver_audit_level_total', 'Requests by how much of them is noted.', () =>
      [...auditor.levels].map(([level, count]) => [{ level }, count] as const),
    );
  }
  if (encryption === undefined) return;
  const { reloads } = encryption;
  metrics.count(
    'apiserver_encryption_config_controller_automatic_reloads_total',
    'Changes of the encryption configuration by whether they took effect.',
    () => [
      [{ status: 'success' }, reloads.success],
      [{ status: 'failure' }, reloads.failure],
    ],
  );
}
