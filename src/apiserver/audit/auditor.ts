import { readFileSync } from 'node:fs';
import type { Environment } from '#base/environment.ts';
import { randomUuid } from '#base/random.ts';
import { cloneJson } from '#machinery/clone.ts';
import { ApiError, type Status } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf } from '#machinery/meta.ts';
import { formatMicroTime } from '#machinery/time.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { Result, UserInfo } from '../registry/operation.ts';
import type { ServedResource } from '../resources/resource.ts';
import { type AuditBackend, type AuditEvent, AuditFailure, type AuditUser } from './event.ts';
import { AuditLog, type AuditLogOptions } from './log-backend.ts';
import { type AuditDecision, AuditPolicy, type AuditStage } from './policy.ts';
import { TruncatingBackend, type TruncationOptions } from './truncation.ts';
import { AuditWebhook, type AuditWebhookOptions } from './webhook-backend.ts';

export interface AuditOptions {
  /** Path of a Policy (`--audit-policy-file`). */
  readonly policyFile: string;
  readonly log?: AuditLogOptions;
  readonly webhook?: AuditWebhookOptions;
}

/** Where a request came from. */
export interface AuditedRequest {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly uri: string;
  readonly sourceIps: readonly string[];
  readonly userAgent: string | undefined;
  /** The client's own `Audit-ID`. */
  readonly id: string | undefined;
}

const maxIdLength = 64;

/** Notes requests as the policy says. There is none where nobody asked for it. */
export class Auditor {
  readonly environment: Environment;
  written = 0;
  lost = 0;
  /** Requests by the level that the policy gives them. */
  readonly levels = new Map<string, number>();
  readonly #policy: AuditPolicy;
  readonly #backends: readonly AuditBackend[];

  /** @throws Error when the policy or a backend's file cannot be used. */
  constructor(options: AuditOptions, environment: Environment) {
    this.environment = environment;
    this.#policy = new AuditPolicy(readFileSync(options.policyFile, 'utf8'));
    const { log, webhook } = options;
    const truncating = (backend: AuditBackend, truncation: TruncationOptions | undefined): AuditBackend =>
      truncation === undefined ? backend : new TruncatingBackend(backend, truncation, environment.log);
    this.#backends = [
      ...(log === undefined ? [] : [truncating(new AuditLog(log, environment), log.truncation)]),
      ...(webhook === undefined ? [] : [truncating(new AuditWebhook(webhook, environment), webhook.truncation)]),
    ];
  }

  /** Begins the record of a request; undefined when the policy wants none. */
  begin(request: AuditedRequest): AuditRecord | undefined {
    // The policy speaks of who really asks, not of whom they act as.
    const decision = this.#policy.decide(request.info, request.user.actor ?? request.user);
    this.levels.set(decision.level, (this.levels.get(decision.level) ?? 0) + 1);
    if (decision.level === 'None') return undefined;
    const record = new AuditRecord(this, request, decision);
    record.begin();
    return record;
  }

  /** Notes a request whose credentials were not believed. */
  refuse(request: Omit<AuditedRequest, 'user'>, attempted: string): void {
    const record = this.begin({ ...request, user: { name: '', groups: [] } });
    record?.fail(new ApiError(401, 'Unauthorized', `Authentication failed, attempted: ${attempted}`));
  }

  /** A promise where somebody waits for the event to be stored; it rejects with AuditFailure. */
  write(event: AuditEvent): Promise<void> | undefined {
    this.written++;
    const pending: Promise<void>[] = [];
    for (const backend of this.#backends) {
      try {
        const stored = backend.write(event);
        if (stored !== undefined) pending.push(stored);
      } catch (error) {
        this.lost++;
        if (error instanceof AuditFailure) pending.push(Promise.reject(error));
        else this.environment.log.error('an audit event is lost', { id: event.auditID, error: String(error) });
      }
    }
    if (pending.length === 0) return undefined;
    return Promise.all(pending).then(
      () => {},
      (error: unknown) => {
        this.lost++;
        throw error;
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#backends.map((backend) => backend.close()));
  }
}

/** What is noted of one request, stage by stage. */
export class AuditRecord {
  readonly id: string;
  readonly #auditor: Auditor;
  readonly #request: AuditedRequest;
  readonly #decision: AuditDecision;
  readonly #receivedAt: string;
  readonly #annotations: Record<string, string> = {};
  #sent: Pick<ApiObject['metadata'], 'name' | 'uid' | 'resourceVersion'> = {};
  #requestObject: object | undefined;
  #responseObject: object | undefined;
  #status: AuditEvent['responseStatus'];
  #isComplete = false;

  constructor(auditor: Auditor, request: AuditedRequest, decision: AuditDecision) {
    this.#auditor = auditor;
    this.#request = request;
    this.#decision = decision;
    const own = request.id ?? '';
    const { clock, random } = auditor.environment;
    this.id = own !== '' && own.length <= maxIdLength ? own : randomUuid(random);
    this.#receivedAt = formatMicroTime(clock.now());
  }

  /** The first value of a key stands. */
  readonly annotate = (key: string, value: string): void => {
    this.#annotations[key] ??= value;
  };

  /** What the client sent: noted now, for what becomes of it is made of the same object. */
  received(body: unknown): void {
    if (typeof body !== 'object' || body === null) return;
    const { name, uid, resourceVersion } = (body as Partial<ApiObject>).metadata ?? {};
    this.#sent = { name, uid, resourceVersion };
    const { level } = this.#decision;
    if (level === 'Request' || level === 'RequestResponse') this.#requestObject = cloneJson(this.#shown(body));
  }

  /** What it is answered. */
  answered(result: Result, resource: ServedResource): void {
    const code = (result.type === 'object' || result.type === 'plain') && result.created ? 201 : 200;
    this.#status = { metadata: {}, code };
    if (result.type === 'status') this.#status = statusOf(result.status);
    if (this.#decision.level === 'RequestResponse') this.#responseObject = objectOf(result, resource);
  }

  failed(error: unknown): void {
    const status =
      error instanceof ApiError ? error.status : new ApiError(500, 'InternalError', 'unexpected failure').status;
    this.#status = statusOf(status);
    if (this.#decision.level === 'RequestResponse') this.#responseObject = status;
  }

  /** The whole of a request that failed before anything was done about it. */
  fail(error: ApiError): void {
    this.failed(error);
    this.complete(error.code);
  }

  /** A request that goes on for long has begun to be answered. */
  started(): void {
    this.emit('ResponseStarted');
  }

  complete(code: number): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#status ??= { metadata: {}, code };
    this.emit('ResponseComplete');
  }

  /** Resolves when the request may go on; undefined: it may at once. Rejects with AuditFailure when it must not. */
  stored: Promise<void> | undefined;

  /** The request is there. */
  begin(): void {
    this.stored = this.#write('RequestReceived');
    // Whoever has to wait for it does so a moment later.
    this.stored?.catch(() => {});
  }

  emit(stage: AuditStage): void {
    this.#write(stage)?.catch(() => {});
  }

  #write(stage: AuditStage): Promise<void> | undefined {
    if (this.#decision.omittedStages.has(stage)) return undefined;
    const { info, user, uri, sourceIps, userAgent } = this.#request;
    const { level } = this.#decision;
    const objectRef = this.#objectRef();
    return this.#auditor.write({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID: this.id,
      stage,
      requestURI: uri,
      verb: info.verb,
      user: viewOf(user.actor ?? user),
      ...(user.actor === undefined ? {} : { impersonatedUser: viewOf(user) }),
      sourceIPs: sourceIps,
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(objectRef === undefined ? {} : { objectRef }),
      ...(this.#status === undefined ? {} : { responseStatus: this.#status }),
      ...(this.#requestObject === undefined ? {} : { requestObject: this.#requestObject }),
      ...(this.#responseObject === undefined ? {} : { responseObject: this.#shown(this.#responseObject) }),
      requestReceivedTimestamp: this.#receivedAt,
      stageTimestamp: formatMicroTime(this.#auditor.environment.clock.now()),
      ...(Object.keys(this.#annotations).length === 0 ? {} : { annotations: this.#annotations }),
    });
  }

  #objectRef(): Readonly<Record<string, string>> | undefined {
    const { info } = this.#request;
    if (info.type === 'path') return undefined;
    const fields = {
      resource: info.resource,
      namespace: info.namespace,
      name: info.name === '' ? (this.#sent.name ?? '') : info.name,
      uid: this.#sent.uid ?? '',
      apiGroup: info.group,
      apiVersion: info.version,
      resourceVersion: this.#sent.resourceVersion ?? '',
      subresource: info.subresource,
    };
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  }

  #shown(object: object): object {
    return this.#decision.omitsManagedFields ? withoutManagedFields(object) : object;
  }
}

function viewOf({ name, uid, groups, extra }: UserInfo): AuditUser {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

function statusOf({ status, message, reason, details, code }: Status): NonNullable<AuditEvent['responseStatus']> {
  return {
    metadata: {},
    status,
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function objectOf(result: Result, { kind }: ServedResource): object | undefined {
  switch (result.type) {
    case 'object':
      return result.value.object;
    case 'plain':
      return result.object;
    case 'status':
      return result.status;
    case 'list': {
      const items = result.items.map(({ object }) => object);
      return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: result.metadata, items };
    }
    case 'watch':
      return undefined;
  }
}

function withoutManagedFields(object: object): object {
  const { metadata, items } = object as { readonly metadata?: object; readonly items?: readonly object[] };
  const { managedFields: _, ...rest } = (metadata ?? {}) as { readonly managedFields?: unknown };
  return {
    ...object,
    ...(metadata === undefined ? {} : { metadata: rest }),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  };
}
