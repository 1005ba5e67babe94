import type { Environment } from '#base/environment.ts';
import { Metrics } from '#base/metrics.ts';
import type { Client, Identity } from '#client/client.ts';
import type { Kind } from '#kinds/kind.ts';
import { exactField } from '#machinery/fields.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Store } from '#storage/store.ts';
import { admissionChain } from './admission/index.ts';
import type { AdmissionOptions } from './admission/plugin.ts';
import {
  PolicyStatusController,
  statusControllerUser,
} from './admission/validating-admission-policy/status-controller.ts';
import { AggregatedApis } from './aggregation/aggregated-apis.ts';
import { Aggregator } from './aggregation/aggregator.ts';
import { publishTrust } from './aggregation/published-trust.ts';
import { LocalRegistration } from './aggregation/registration.ts';
import type { ProxyIdentity } from './aggregation/remote-server.ts';
import { type AuditOptions, Auditor, type AuditRecord } from './audit/auditor.ts';
import { auditedOperation } from './audit/in-process.ts';
import { buildAuthenticator } from './authentication/build.ts';
import { type AuthenticationOptions, defaultIssuer } from './authentication/options.ts';
import { ServiceAccountTokens } from './authentication/service-account-tokens.ts';
import { adminAccessClaimHook, adminAccessTemplateHook } from './authorization/admin-access.ts';
import { type Authorizer, requireAllowed } from './authorization/authorizer.ts';
import { ConfiguredAuthorizers } from './authorization/build.ts';
import { claimStatusHook } from './authorization/claim-status.ts';
import { bindingHook, roleHook } from './authorization/escalation.ts';
import type { AuthorizationOptions } from './authorization/options.ts';
import { RbacAuthorizer } from './authorization/rbac.ts';
import { ensureBootstrapObjects, keepStanding } from './bootstrap/bootstrap.ts';
import { podCertificateHook } from './certificates/pod-certificate-hook.ts';
import { certificateRequestHook } from './certificates/request-hook.ts';
import { webhookConverter } from './custom-resources/conversion/webhook.ts';
import { CustomResources } from './custom-resources/custom-resources.ts';
import { builtinRules } from './custom-resources/definition/builtin-rules.ts';
import { DefinitionController } from './custom-resources/definition/controller.ts';
import { definitionHook } from './custom-resources/definition/hook.ts';
import { celRules } from './custom-resources/validation-rules/engine.ts';
import { Encryption, type EncryptionOptions } from './encryption/encryption.ts';
import { type FairnessOptions, FlowControl } from './fairness/flow-control.ts';
import { InFlightLimits } from './fairness/in-flight.ts';
import { FeatureGates } from './feature-gates.ts';
import { type Encoding, servedEncodings } from './http/negotiation.ts';
import { ClientMetrics } from './in-process/metrics.ts';
import { routedClient } from './in-process/routed-client.ts';
import { compactRegularly } from './registry/compaction.ts';
import { EventExpiry } from './registry/event-expiry.ts';
import { execute } from './registry/execute.ts';
import type { Operation, Result } from './registry/operation.ts';
import type { Registry, ResourceHook } from './registry/registry.ts';
import { type BuiltInOptions, builtInResources } from './resources/built-in.ts';
import { ResourceTable, type ServedResource } from './resources/resource.ts';
import { objectKey } from './resources/storage-keys.ts';
import { serviceHook } from './services/hook.ts';
import { PortAllocations } from './services/port-allocations.ts';
import { defaultNodePorts, type PortRange } from './services/port-range.ts';
import { ServiceRepair } from './services/repair.ts';
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

/** What a server has besides its registry. */
type ServerParts = Pick<
  ApiServer,
  'fairness' | 'inFlight' | 'encryption' | 'auditor' | 'features' | 'tracer' | 'serviceCidr'
>;

/** The API server without its HTTP front: everything between an authenticated request and the store. */
export class ApiServer {
  readonly registry: Registry;
  /** Undefined: requests are served as they come. */
  readonly fairness: FlowControl | undefined;
  /** Undefined unless fairness is off. */
  readonly inFlight: InFlightLimits | undefined;
  /** Undefined: values are stored as they are. */
  readonly encryption: Encryption | undefined;
  /** Undefined: nobody asked for a record of requests. */
  readonly auditor: Auditor | undefined;
  readonly features: FeatureGates;
  /** Where services have their addresses from. */
  readonly serviceCidr: string;
  /** Undefined: nobody asked for traces. */
  readonly tracer: Tracer | undefined;
  /** Undefined: nobody counts. */
  readonly clientMetrics: ClientMetrics | undefined;
  /** The forms of requests and answers. */
  readonly encodings: readonly Encoding[];
  readonly #stop = new AbortController();
  #custom: CustomResources | undefined;
  #definitions: DefinitionController | undefined;
  #policyStatus: PolicyStatusController | undefined;
  #registration: LocalRegistration | undefined;
  #aggregator: Aggregator | undefined;

  private constructor(registry: Registry, parts: ServerParts) {
    this.registry = registry;
    this.fairness = parts.fairness;
    this.inFlight = parts.inFlight;
    this.encryption = parts.encryption;
    this.auditor = parts.auditor;
    this.features = parts.features;
    this.tracer = parts.tracer;
    this.serviceCidr = parts.serviceCidr;
    const { metrics, clock } = registry.environment;
    this.clientMetrics = metrics === undefined ? undefined : new ClientMetrics(metrics, clock);
    this.encodings = servedEncodings({ cbor: registry.featureEnabled('CBORServingAndStorage') });
  }

  /** Fills the caches from the store and makes sure that it holds what every cluster has. */
  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const { environment, serviceCidr } = options;
    const { clock, metrics } = environment;
    const tracer = options.tracing === undefined ? undefined : new Tracer(environment, options.tracing);
    const engine =
      metrics === undefined && tracer === undefined
        ? options.store
        : new MeasuredStore(options.store, { metrics: metrics ?? new Metrics(), clock, tracer });
    const encryption =
      options.encryption === undefined ? undefined : await Encryption.open(engine, environment, options.encryption);
    const kept = encryption?.store ?? engine;
    const features = new FeatureGates(options.featureGates ?? {});
    const cbor = features.enabled('CBORServingAndStorage');
    const store = options.upstreamForm === true ? new FormedStore(kept, { cbor }) : kept;
    const resources = await ResourceTable.open(store, builtInResources(builtinRules(celRules), options.builtIn));
    const { authentication = {} } = options;
    const tokens = new ServiceAccountTokens({
      issuers: authentication.serviceAccountIssuers ?? [defaultIssuer],
      privateKeyPem: options.tokenSigningKey,
      ...(authentication.verificationKeys === undefined
        ? {}
        : { verificationKeyPems: authentication.verificationKeys }),
      environment,
    });
    const rbac = new RbacAuthorizer(resources);
    const built = buildAuthenticator(authentication, {
      tokens,
      resources,
      environment,
      loopback: () => server.loopback(),
    });
    const authorizers = new ConfiguredAuthorizers(options.authorization ?? {}, {
      environment,
      resources,
      rbac,
      featureEnabled: (gate) => features.enabled(gate),
    });
    const { eventTtlSeconds = defaultEventTtlSeconds } = options;
    const ports = new PortAllocations(options.nodePorts ?? defaultNodePorts);
    const registry: Registry = {
      store,
      resources,
      environment,
      admission: admissionChain(options.admission ?? {}, { environment, features }),
      hooks: {
        byResource: {
          '/services': serviceHook({ cidr: options.serviceCidr, ports }),
          'apiextensions.k8s.io/customresourcedefinitions': definitionHook,
          ...accessHooks,
        },
      },
      authorizer: authorizers,
      rbac,
      authenticator: built.authenticator,
      webhooks: new WebhookClient(resources, environment, tracer),
      tokens,
      tokenPolicy: authentication,
      eventTtlSeconds,
      isStale: (key, value) => encryption?.store.isStale(key, value.origin) === true,
      loopback: () => server.loopback(),
      featureEnabled: (gate) => features.enabled(gate),
    };
    const auditor = options.audit === undefined ? undefined : new Auditor(options.audit, environment);
    const fairness =
      options.fairness?.enabled === false ? undefined : new FlowControl(resources, environment, options.fairness);
    const { maxReadsInFlight: maxReads = 400, maxWritesInFlight: maxWrites = 200 } = options.fairness ?? {};
    const inFlight = fairness === undefined ? new InFlightLimits({ maxReads, maxWrites }) : undefined;
    const asked = { fairness, inFlight, encryption, auditor, features, tracer, serviceCidr };
    const server: ApiServer = new ApiServer(registry, asked);
    server.#stop.signal.addEventListener('abort', () => {
      built.close();
      authorizers.close();
    });
    server.#custom = await CustomResources.start({
      store,
      resources,
      environment,
      rules: celRules,
      converterOf: (definition) =>
        webhookConverter(definition, { webhooks: server.registry.webhooks, random: environment.random }),
    });
    server.registry.admission.start(server.registry);
    const find = (kind: Kind, { metadata }: ApiObject): ApiObject | undefined =>
      resources.of(kind).storage!.cache.get(objectKey({ namespace: metadata.namespace, name: metadata.name ?? '' }))
        ?.value.object;
    const { featureEnabled } = registry;
    const standing = { serviceCidr, find, featureEnabled, now: () => environment.clock.now() };
    await ensureBootstrapObjects(server.loopback(), standing);
    void keepStanding(server.loopback(), environment, { ...standing, signal: server.#stop.signal });
    server.#definitions = new DefinitionController({ resources, client: server.loopback(), environment });
    void server.#definitions.run();
    server.#policyStatus = new PolicyStatusController({
      resources,
      client: server.client({
        user: statusControllerUser,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
      }),
      environment,
    });
    if (options.leavesPolicyStatus !== true) void server.#policyStatus.run();
    server.#startAggregation(options);
    await publishTrust(server.loopback(), authentication);
    fairness?.start(() => server.loopback());
    if (eventTtlSeconds > 0 && store.expires !== true)
      void new EventExpiry(registry, eventTtlSeconds).run(server.#stop.signal);
    void new ServiceRepair(registry, ports).run(server.#stop.signal);
    void compactRegularly(registry, server.#stop.signal);
    return server;
  }

  get resources(): ResourceTable {
    return this.registry.resources;
  }

  get environment(): Environment {
    return this.registry.environment;
  }

  get authorizer(): Authorizer {
    return this.registry.authorizer;
  }

  /** Authorises and carries out one request. @throws ApiError for every expected failure. */
  execute(operation: Operation): Promise<Result> {
    const record = this.auditor?.begin(auditedOperation(operation));
    return record === undefined ? this.#execute(operation) : this.#executeRecorded(operation, record);
  }

  async #executeRecorded(operation: Operation, record: AuditRecord): Promise<Result> {
    if (record.stored !== undefined) await record.stored;
    record.received(operation.body);
    try {
      const result = await this.#execute({ ...operation, annotate: record.annotate });
      record.answered(result, operation.resource);
      return result;
    } catch (error) {
      record.failed(error);
      throw error;
    } finally {
      record.complete(200);
    }
  }

  async #execute(operation: Operation): Promise<Result> {
    const pending = this.authorize(operation);
    if (pending !== undefined) await pending;
    return this.carryOut(operation);
  }

  /** Carries out a request that has been authorised. */
  carryOut(operation: Operation): Promise<Result> {
    return execute(this.registry, operation);
  }

  /**
   * Goes on when some authoriser allows the request: at once, or when the returned promise resolves.
   * @throws ApiError 403.
   */
  authorize(operation: Operation): void | Promise<void> {
    const { user, verb, resource, subresource, namespace, name, options } = operation;
    const { group, version, resource: plural } = resource.kind;
    const attributes = {
      user,
      verb,
      group,
      version,
      resource: plural,
      subresource,
      namespace: plural === 'namespaces' && group === '' ? name : namespace,
      name: nameAsked(operation),
      path: '',
      ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
      ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector.requirements }),
    };
    return requireAllowed(this.registry.authorizer, attributes, operation.annotate);
  }

  /** A resource that the table does not have, if its definition is just about to bring it. */
  async awaitedResource(group: string, version: string, plural: string): Promise<ServedResource | undefined> {
    await this.#custom?.settled(`${plural}.${group}`);
    return this.resources.get(group, version, plural);
  }

  /** Undefined until the server has started. */
  get aggregator(): Aggregator | undefined {
    return this.#aggregator;
  }

  /** What the servers behind this one serve, for controllers. */
  get aggregatedApis(): AggregatedApis {
    return new AggregatedApis(() => this.#aggregator?.remotes ?? [], this.resources);
  }

  #startAggregation({ environment, proxyIdentity }: ApiServerOptions): void {
    const { resources } = this.registry;
    const client = this.loopback();
    const identity = (): ProxyIdentity | undefined => proxyIdentity?.();
    this.#aggregator = new Aggregator({ resources, client, environment, identity });
    this.#registration = new LocalRegistration({ resources, client, environment });
    void this.#aggregator.run();
    void this.#registration.run();
  }

  /** Undefined when the table of resources is as the store says; else resolves when it is. */
  settledResources(): Promise<void> | undefined {
    return this.#custom?.settled();
  }

  /** A client in this process. */
  client({ user, groups = [] }: Identity): Client {
    return routedClient(this, { name: user, groups: [...groups, 'system:authenticated'] });
  }

  /** The server's own identity, which may do everything. */
  loopback(): Client {
    return this.client({ user: 'system:apiserver', groups: ['system:masters'] });
  }

  /** Ends every watch, whose clients may come back. */
  endWatches(): void {
    for (const { storage } of this.resources.all()) storage?.cache.endWatches();
  }

  /** Ends every watch, and all that goes on by itself. The store is its owner's to close. */
  stop(): void {
    this.#stop.abort();
    this.#definitions?.stop();
    this.#policyStatus?.stop();
    this.#registration?.stop();
    this.#aggregator?.stop();
    this.#custom?.stop();
    this.registry.webhooks.close();
    this.fairness?.stop();
    this.encryption?.close();
    void this.auditor?.close();
    this.resources.close();
  }
}

/** A create names its object in the body, which authorisation does not read; a list of one name asks for that one. */
function nameAsked({ verb, subresource, name, options: { fieldSelector } }: Operation): string {
  if (verb === 'create' && subresource === '') return '';
  return name === '' && fieldSelector !== undefined ? (exactField(fieldSelector, 'metadata.name') ?? '') : name;
}
