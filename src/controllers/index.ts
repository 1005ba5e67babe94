import type { Environment } from '#base/environment.ts';
import type { Client, Identity } from '#client/client.ts';
import { type Controller, runController } from '#client/controller.ts';
import { createInformers } from '#client/informers.ts';
import type { Kind } from '#kinds/kind.ts';
import { resourceRows } from '#kinds/resources.ts';
import { bootstrapSigner, bootstrapTokenCleaner } from './bootstrap-token/controller.ts';
import { certificateApprover } from './certificates/approver.ts';
import type { CertificateAuthority } from './certificates/authority.ts';
import { certificateCleaner } from './certificates/cleaner.ts';
import { podRequestCleaner } from './certificates/pod-request-cleaner.ts';
import { certificateSigner } from './certificates/signer.ts';
import { clusterRoleAggregation } from './cluster-role-aggregation/controller.ts';
import { cronJob } from './cronjob/controller.ts';
import { daemonSet } from './daemonset/controller.ts';
import { deployment } from './deployment/controller.ts';
import { disruption } from './disruption/controller.ts';
import { endpoints } from './endpoints/controller.ts';
import { endpointSlice } from './endpointslice/controller.ts';
import { endpointSliceMirroring } from './endpointslice-mirroring/controller.ts';
import { garbageCollector } from './garbage-collector/controller.ts';
import { job } from './job/controller.ts';
import { legacyTokenCleaner } from './legacy-token-cleaner/controller.ts';
import { namespace } from './namespace/controller.ts';
import { nodeIpam } from './node-ipam/controller.ts';
import { nodeLifecycle } from './node-lifecycle/controller.ts';
import { podGarbageCollector } from './pod-garbage-collector/controller.ts';
import { replicaSet, replicationController } from './replicaset/controller.ts';
import { resourceQuota } from './resource-quota/controller.ts';
import { rootCaPublisher } from './root-ca-publisher/controller.ts';
import { serviceAccount } from './service-account/controller.ts';
import { serviceAccountTokenCleanup } from './service-account-token/controller.ts';
import { type IssueLegacyToken, serviceAccountTokens } from './service-account-token/fill.ts';
import type { AggregatedApis } from './shared/served-kinds.ts';
import { statefulSet } from './statefulset/controller.ts';
import { storageVersionMigrator } from './storage-version-migrator/controller.ts';
import { taintEviction } from './taint-eviction/controller.ts';
import { trustBundlePublisher } from './trust-bundle-publisher/controller.ts';
import { ttlAfterFinished } from './ttl-after-finished/controller.ts';
import {
  attributesClassProtection,
  claimProtection,
  podGroupProtection,
  volumeProtection,
} from './volume-protection/controller.ts';

export interface ControllersOptions {
  /** Acts as others: each controller works as its own service account, as in a cluster of official components. */
  readonly client: Client;
  readonly environment: Environment;
  /** Every kind that can be stored: what namespaces may hold and owners may own. The built-in ones unless given. */
  readonly kinds?: readonly Kind[];
  /** What the servers behind this one serve; absent: there are none. */
  readonly aggregated?: AggregatedApis | undefined;
  /** PEM of the authority that signs the API server's certificate; published in every namespace. */
  readonly rootCa: string;
  /** Where nodes get their pod addresses from, for example `10.244.0.0/16`; absent: they bring their own. */
  readonly clusterCidr?: string | undefined;
  /** Signs certificates that were asked for; absent: nobody does. */
  readonly authority?: CertificateAuthority | undefined;
  /** Feature gates; absent: all as upstream leaves them, which is off for what asks here. */
  readonly featureEnabled?: ((gate: string) => boolean) | undefined;
  /** Makes the tokens that Secrets ask for; absent: they stay empty. */
  readonly issueLegacyToken?: IssueLegacyToken | undefined;
  /** How many kinds are listed in one turn of the event loop, so that clients get theirs; absent: all. */
  readonly listedTogether?: number;
}

/** Runs all controllers until the signal aborts; resolves when the last of their workers has ended. */
export async function startControllers(options: ControllersOptions, signal: AbortSignal): Promise<void> {
  const { client, environment } = options;
  const informers = createInformers({
    client: client.as({ user: 'system:kube-controller-manager', groups: ['system:authenticated'] }),
    environment,
    startedTogether: options.listedTogether,
  });
  const running = controllersOf(options).map((controller) =>
    runController(controller, { client: client.as(identityOf(controller.name)), informers, environment }, signal),
  );
  await Promise.all([informers.run(signal), ...running]);
}

/** Order does not matter: they meet only through the API. */
function controllersOf({
  kinds,
  aggregated,
  rootCa,
  clusterCidr,
  authority,
  issueLegacyToken,
  featureEnabled = () => false,
}: ControllersOptions): readonly Controller[] {
  const stored = distinctKinds(kinds ?? storedKinds);
  return [
    namespace(stored, aggregated),
    serviceAccount,
    serviceAccountTokenCleanup,
    legacyTokenCleaner,
    ...(issueLegacyToken === undefined ? [] : [serviceAccountTokens(issueLegacyToken, rootCa)]),
    storageVersionMigrator(stored),
    bootstrapTokenCleaner,
    bootstrapSigner,
    ...(authority === undefined
      ? []
      : [certificateApprover(authority), certificateSigner(authority), certificateCleaner(authority)]),
    resourceQuota(stored, aggregated),
    clusterRoleAggregation,
    disruption,
    rootCaPublisher(rootCa),
    ...(featureEnabled('ClusterTrustBundle') ? [trustBundlePublisher(rootCa)] : []),
    ...(featureEnabled('PodCertificateRequest') ? [podRequestCleaner] : []),
    garbageCollector(stored, aggregated),
    nodeLifecycle,
    taintEviction,
    ...(clusterCidr === undefined ? [] : [nodeIpam(clusterCidr)]),
    claimProtection,
    volumeProtection,
    attributesClassProtection,
    ...(featureEnabled('GenericWorkload') ? [podGroupProtection] : []),
    podGarbageCollector,
    ttlAfterFinished,
    endpointSlice,
    endpoints,
    endpointSliceMirroring,
    deployment,
    replicaSet,
    replicationController,
    statefulSet,
    daemonSet,
    job,
    cronJob,
  ];
}

/** Built-in kinds whose objects can be listed and deleted; others (reviews, bindings) only pass through. */
const storedKinds = resourceRows.filter(({ verbs }) => verbs.includes('list') && verbs.includes('delete'));

/** One kind per stored resource: versions of one resource show the same objects, as do the two groups of events. */
function distinctKinds(kinds: readonly Kind[]): readonly Kind[] {
  const byResource = new Map<string, Kind>();
  for (const kind of kinds) {
    const key = `${kind.group}/${kind.resource}`;
    if (kind.group !== 'events.k8s.io' && !byResource.has(key)) byResource.set(key, kind);
  }
  return [...byResource.values()];
}

/** Has no service account of its own, as upstream: whom it acts as makes the tokens of the others. */
const withoutAccount = 'tokens-controller';
/** Upstream grants it every resource in a role that comes with its feature gate. */
const rewritesEverything = 'storage-version-migrator-controller';

function identityOf(name: string): Identity {
  if (name === rewritesEverything)
    return { user: `system:serviceaccount:kube-system:${name}`, groups: ['system:masters', 'system:authenticated'] };
  if (name === withoutAccount) return { user: 'system:kube-controller-manager', groups: ['system:authenticated'] };
  return {
    user: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  };
}
