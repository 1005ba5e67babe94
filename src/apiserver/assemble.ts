import type { Environment } from '#base/environment.ts';
import { Metrics } from '#base/metrics.ts';
import type { Client } from '#client/client.ts';
import type { Store } from '#storage/store.ts';
import { admissionChain } from './admission/index.ts';
import type { AdmissionOptions } from './admission/plugin.ts';
import type { ProxyIdentity } from './aggregation/remote-server.ts';
import { type AuditOptions, Auditor } from './audit/auditor.ts';
import { buildAuthenticator } from './authentication/build.ts';
import { type AuthenticationOptions, defaultIssuer } from './authentication/options.ts';
import { ServiceAccountTokens } from './authentication/service-account-tokens.ts';
import { adminAccessClaimHook, adminAccessTemplateHook } from './authorization/admin-access.ts';
import { ConfiguredAuthorizers } from './authorization/build.ts';
import { claimStatusHook } from './authorization/claim-status.ts';
import { bindingHook, roleHook } from './authorization/escalation.ts';
import type { AuthorizationOptions } from './authorization/options.ts';
import { RbacAuthorizer } from './authorization/rbac.ts';
import { podCertificateHook } from './certificates/pod-certificate-hook.ts';
import { certificateRequestHook } from './certificates/request-hook.ts';
import { tlsSecretHook } from './certificates/secret-hook.ts';
import { builtinRules } from './custom-resources/definition/builtin-rules.ts';
import { definitionHook } from './custom-resources/definition/hook.ts';
import { celRules } from './custom-resources/validation-rules/engine.ts';
import { Encryption, type EncryptionOptions } from './encryption/encryption.ts';
import { type FairnessOptions, FlowControl } from './fairness/flow-control.ts';
import { InFlightLimits } from './fairness/in-flight.ts';
import { FeatureGates } from './feature-gates.ts';
import type { Registry, ResourceHook } from './registry/registry.ts';
import { type BuiltInOptions, builtInResources } from './resources/built-in.ts';
import { ResourceTable } from './resources/resource.ts';
import { serviceHook } from './services/hook.ts';
import { PortAllocations } from './services/port-allocations.ts';
import { defaultNodePorts, type PortRange } from './services/port-range.ts';
import { MeasuredStore } from './storage-form/measured-store.ts';
import { FormedStore } from './storage-form/store.ts';
import type { TracingConfiguration } from './tracing/configuration.ts';
import { Tracer } from './tracing/tracer.ts';
import { WebhookClient } from './webhooks/client.ts';
export interface ApiServerOptions {
  readonly store: Store;
  /** Values are kept as upstream keeps them in etcd: for a store that is shared with official servers, or will be. */
  readonly upstreamForm?: boolean;
  readonly environment: Environment;
  /** EC P-256 private key in PEM that signs service-account tokens. */
  readonly tokenSigningKey: string;
  /** IPv4 range of service addresses, for example `10.96.0.0/16`. */
  readonly serviceCidr: string;
  /** Ports that services may have on nodes; absent: 30000 to 32767. */
  readonly nodePorts?: PortRange;
  /** How long an event is kept after it was written last; absent: an hour; 0: for ever. */
  readonly eventTtlSeconds?: number;
  /** How long a watch lasts at least whose client does not say how long; absent: half an hour. */
  readonly minWatchSeconds?: number;
  /** False: nobody collects garbage, and deletions leave dependents out of it. Absent: true. */
  readonly collectsGarbage?: boolean;
  /** How often old revisions are forgotten; absent: every five minutes; 0: never. */
  readonly compactionMs?: number;
  readonly builtIn?: BuiltInOptions;
  /** Feature gates that differ from their defaults. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** The client certificate by which aggregated servers know this one. */
  readonly proxyIdentity?: () => ProxyIdentity;
  /** Which admission plugins there are, and what they are told. */
  readonly admission?: AdmissionOptions;
  /** Who is believed, and how. */
  readonly authentication?: AuthenticationOptions;
  /** Who decides what may be done. */
  readonly authorization?: AuthorizationOptions;
  readonly fairness?: FairnessOptions;
  /** How values are sealed in the store; absent: they are stored as they are. */
  readonly encryption?: EncryptionOptions;
  /** Which requests are noted, and where. */
  readonly audit?: AuditOptions;
  /** Where traces of requests go; absent: there are none. */
  readonly tracing?: TracingConfiguration;
  /** The types in admission policies are checked by somebody else, as upstream's controller manager does; absent: false. */
  readonly leavesPolicyStatus?: boolean;
}

/** What granting needs besides the right to write roles and bindings. */
const accessHooks: Readonly<Record<string, ResourceHook>> = {
  '/secrets': tlsSecretHook,
  'certificates.k8s.io/certificatesigningrequests': certificateRequestHook,
  'certificates.k8s.io/podcertificaterequests': podCertificateHook,
  'resource.k8s.io/resourceclaims': { ...claimStatusHook, ...adminAccessClaimHook },
  'resource.k8s.io/resourceclaimtemplates': adminAccessTemplateHook,
  'rbac.authorization.k8s.io/roles': roleHook,
  'rbac.authorization.k8s.io/clusterroles': roleHook,
  'rbac.authorization.k8s.io/rolebindings': bindingHook,
  'rbac.authorization.k8s.io/clusterrolebindings': bindingHook,
};

const defaultEventTtlSeconds = 3600;
const defaultMinWatchSeconds = 1800;

/** What a server is made of, before anything of it runs. */
export interface ServerParts {
  readonly registry: Registry;
  readonly fairness: FlowControl | undefined;
  readonly inFlight: InFlightLimits | undefined;
  readonly encryption: Encryption | undefined;
  readonly auditor: Auditor | undefined;
  readonly features: FeatureGates;
  readonly tracer: Tracer | undefined;
  readonly serviceCidr: string;
  readonly ports: PortAllocations;
  /** Lets go of the files and connections by which it is known who is who, and who may. */
  readonly close: () => void;
}

/** @param loopback the server's own client, once there is a server */
export async function assemble(options: ApiServerOptions, loopback: () => Client): Promise<ServerParts> {
  const { environment, serviceCidr, authentication = {}, eventTtlSeconds = defaultEventTtlSeconds } = options;
  const features = new FeatureGates(options.featureGates ?? {});
  const featureEnabled = (gate: string): boolean => features.enabled(gate);
  const tracer = options.tracing === undefined ? undefined : new Tracer(environment, options.tracing);
  const { store, encryption } = await layered(options, features, tracer);
  const resources = await ResourceTable.open(store, builtInResources(builtinRules(celRules), options.builtIn));
  const tokens = tokensOf(options);
  const rbac = new RbacAuthorizer(resources);
  const believed = buildAuthenticator(authentication, { tokens, resources, environment, loopback });
  const authorizer = new ConfiguredAuthorizers(options.authorization ?? {}, {
    environment,
    resources,
    rbac,
    featureEnabled,
  });
  const ports = new PortAllocations(options.nodePorts ?? defaultNodePorts);
  const registry: Registry = {
    store,
    resources,
    environment,
    admission: admissionChain(options.admission ?? {}, { environment, features }),
    hooks: {
      byResource: {
        '/services': serviceHook({ cidr: serviceCidr, ports }),
        'apiextensions.k8s.io/customresourcedefinitions': definitionHook,
        ...accessHooks,
      },
    },
    authorizer,
    rbac,
    authenticator: believed.authenticator,
    webhooks: new WebhookClient(resources, environment, tracer),
    tokens,
    tokenPolicy: authentication,
    eventTtlSeconds,
    minWatchMs: (options.minWatchSeconds ?? defaultMinWatchSeconds) * 1000,
    collectsGarbage: options.collectsGarbage !== false,
    isStale: (key, value) => encryption?.store.isStale(key, value.origin) === true,
    loopback,
    featureEnabled,
  };
  const close = (): void => {
    believed.close();
    authorizer.close();
  };
  const auditor = options.audit === undefined ? undefined : new Auditor(options.audit, environment);
  return { registry, ...queues(options, resources), encryption, auditor, features, tracer, serviceCidr, ports, close };
}

/** The store with all that is put around it: what measures it, what seals values, what gives them upstream's form. */
async function layered(
  { store, environment, encryption: sealing, upstreamForm }: ApiServerOptions,
  features: FeatureGates,
  tracer: Tracer | undefined,
): Promise<{ readonly store: Store; readonly encryption: Encryption | undefined }> {
  const { clock, metrics } = environment;
  const isMeasured = metrics !== undefined || tracer !== undefined;
  const engine = isMeasured ? new MeasuredStore(store, { metrics: metrics ?? new Metrics(), clock, tracer }) : store;
  const encryption = sealing === undefined ? undefined : await Encryption.open(engine, environment, sealing);
  const kept = encryption?.store ?? engine;
  const cbor = features.enabled('CBORServingAndStorage');
  return { store: upstreamForm === true ? new FormedStore(kept, { cbor }) : kept, encryption };
}

function tokensOf({ authentication = {}, tokenSigningKey, environment }: ApiServerOptions): ServiceAccountTokens {
  const { serviceAccountIssuers: issuers = [defaultIssuer], verificationKeys } = authentication;
  return new ServiceAccountTokens({
    issuers,
    privateKeyPem: tokenSigningKey,
    ...(verificationKeys === undefined ? {} : { verificationKeyPems: verificationKeys }),
    environment,
  });
}

/** What decides which requests wait: priority and fairness, or without it a plain limit. */
function queues(
  { fairness: wanted = {}, environment }: ApiServerOptions,
  resources: ResourceTable,
): Pick<ServerParts, 'fairness' | 'inFlight'> {
  if (wanted.enabled !== false)
    return { fairness: new FlowControl(resources, environment, wanted), inFlight: undefined };
  const { maxReadsInFlight: maxReads = 400, maxWritesInFlight: maxWrites = 200 } = wanted;
  return { fairness: undefined, inFlight: new InFlightLimits({ maxReads, maxWrites }) };
}
