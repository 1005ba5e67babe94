import type { Environment } from '#base/environment.ts';
import type { Client, Identity } from '#client/client.ts';
import type { Kind } from '#kinds/kind.ts';
import { exactField } from '#machinery/fields.ts';
import type { ApiObject } from '#machinery/meta.ts';
import {
  PolicyStatusController,
  statusControllerUser,
} from './admission/validating-admission-policy/status-controller.ts';
import { AggregatedApis } from './aggregation/aggregated-apis.ts';
import { Aggregator } from './aggregation/aggregator.ts';
import { publishTrust } from './aggregation/published-trust.ts';
import { LocalRegistration } from './aggregation/registration.ts';
import type { ProxyIdentity } from './aggregation/remote-server.ts';
import { type ApiServerOptions, assemble, type ServerParts } from './assemble.ts';
import type { Auditor, AuditRecord } from './audit/auditor.ts';
import { auditedOperation } from './audit/in-process.ts';
import { type Authorizer, requireAllowed } from './authorization/authorizer.ts';
import { ensureBootstrapObjects, keepStanding } from './bootstrap/bootstrap.ts';
import { webhookConverter } from './custom-resources/conversion/webhook.ts';
import { CustomResources } from './custom-resources/custom-resources.ts';
import { DefinitionController } from './custom-resources/definition/controller.ts';
import { celRules } from './custom-resources/validation-rules/engine.ts';
import type { Encryption } from './encryption/encryption.ts';
import type { FlowControl } from './fairness/flow-control.ts';
import type { InFlightLimits } from './fairness/in-flight.ts';
import type { FeatureGates } from './feature-gates.ts';
import { type Encoding, servedEncodings } from './http/negotiation.ts';
import { ClientMetrics } from './in-process/metrics.ts';
import { routedClient } from './in-process/routed-client.ts';
import { compactRegularly } from './registry/compaction.ts';
import { EventExpiry } from './registry/event-expiry.ts';
import { execute } from './registry/execute.ts';
import type { Operation, Result } from './registry/operation.ts';
import type { Registry } from './registry/registry.ts';
import type { ResourceTable, ServedResource } from './resources/resource.ts';
import { objectKey } from './resources/storage-keys.ts';
import { ServiceRepair } from './services/repair.ts';
import type { Tracer } from './tracing/tracer.ts';

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

  private constructor(parts: ServerParts) {
    const { registry } = parts;
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
    const parts = await assemble(options, () => server.loopback());
    const server = new ApiServer(parts);
    await server.#begin(options, parts);
    return server;
  }

  async #begin(options: ApiServerOptions, { close, ports }: ServerParts): Promise<void> {
    const { registry, serviceCidr } = this;
    const { environment, resources, featureEnabled, eventTtlSeconds } = registry;
    const { signal } = this.#stop;
    signal.addEventListener('abort', close);
    this.#custom = await CustomResources.start({
      store: registry.store,
      resources,
      environment,
      rules: celRules,
      converterOf: (definition) =>
        webhookConverter(definition, { webhooks: registry.webhooks, random: environment.random }),
    });
    registry.admission.start(registry);
    const client = this.loopback();
    const find = (kind: Kind, { metadata }: ApiObject): ApiObject | undefined =>
      resources.of(kind).storage!.cache.get(objectKey({ namespace: metadata.namespace, name: metadata.name ?? '' }))
        ?.value.object;
    const standing = { serviceCidr, find, featureEnabled, now: () => environment.clock.now() };
    await ensureBootstrapObjects(client, standing);
    void keepStanding(client, environment, { ...standing, signal });
    this.#definitions = new DefinitionController({ resources, client, environment });
    void this.#definitions.run();
    this.#startPolicyStatus(options);
    this.#startAggregation(options);
    await publishTrust(client, options.authentication ?? {});
    this.fairness?.start(() => this.loopback());
    if (eventTtlSeconds > 0 && registry.store.expires !== true)
      void new EventExpiry(registry, eventTtlSeconds).run(signal);
    void new ServiceRepair(registry, ports).run(signal);
    void compactRegularly(registry, signal, options.compactionMs);
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
  async execute(operation: Operation): Promise<Result> {
    const record = this.auditor?.begin(auditedOperation(operation));
    return await (record === undefined ? this.#execute(operation) : this.#executeRecorded(operation, record));
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

  #execute(operation: Operation): Promise<Result> {
    const pending = this.authorize(operation);
    return pending === undefined ? this.carryOut(operation) : pending.then(() => this.carryOut(operation));
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

  #startPolicyStatus({ leavesPolicyStatus }: ApiServerOptions): void {
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system'];
    this.#policyStatus = new PolicyStatusController({
      resources: this.resources,
      client: this.client({ user: statusControllerUser, groups }),
      environment: this.environment,
    });
    if (leavesPolicyStatus !== true) void this.#policyStatus.run();
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
