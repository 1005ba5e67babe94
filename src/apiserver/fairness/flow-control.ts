import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import { FlowSchema, PriorityLevelConfiguration } from '#kinds/generated/handles.ts';
import type {
  PriorityLevelConfiguration as LevelObject,
  FlowSchema as SchemaObject,
} from '#kinds/generated/types/flowcontrol_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { assignNominalSeats, lendSeats } from './lending.ts';
import { Level, type Permit, type Rejection } from './level.ts';
import { type Flow, Schemas } from './schemas.ts';
import { isLongRunning, seatsOf } from './seats.ts';
import { tidyFlowControl } from './tidy.ts';

export interface FairnessOptions {
  /** True unless set (`--enable-priority-and-fairness`). */
  readonly enabled?: boolean;
  /** Reads and writes that are served at once: together, the seats (`--max-requests-inflight`). */
  readonly maxReadsInFlight?: number;
  readonly maxWritesInFlight?: number;
}

const defaultReads = 400;
const defaultWrites = 200;
/** The longest that a request waits for its seats. */
const waitLimitMs = 15_000;
const lendingIntervalMs = 10_000;
/** Changes come in bunches. */
const tidyDelayMs = 250;
const retryAfterSeconds = 1;
const everything = 'catch-all';

/** One request and its wait. */
export interface FlowWait {
  readonly level: Level;
  readonly seats: number;
  readonly waitedMs: number;
}

export interface FlowObserver {
  started(flow: Flow, wait: FlowWait): void;
  refused(flow: Flow, wait: FlowWait): void;
  /** A request waits in a queue, which is so long now. */
  queued(flow: Flow, length: number): void;
}

const reads: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

function kindOf({ verb }: RequestInfo): 'readOnly' | 'mutating' {
  return reads.has(verb) ? 'readOnly' : 'mutating';
}

/** Decides when each request over HTTP is served (KEP-1040). */
export class FlowControl {
  readonly serverSeats: number;
  readonly environment: Environment;
  readonly #resources: ResourceTable;
  readonly #levelObjects: ResourceCache;
  readonly #schemaObjects: ResourceCache;
  readonly #levels = new Map<string, Level>();
  readonly #levelUid = (name: string): string => (this.#levels.get(name) ?? this.#levels.get(everything))?.uid ?? '';
  #schemas: Schemas | undefined;
  /** Of what levels wanted lately, so much they were given when seats were last lent. */
  fairFraction = 0;
  /** Requests that wait for their turn. */
  readonly waiting = { readOnly: 0, mutating: 0 };
  /** Requests turned away: `level schema reason`. */
  readonly rejected = new Map<string, number>();
  /** Hears of each request that was let through or turned away. */
  observer: FlowObserver | undefined;
  #client: (() => Client) | undefined;
  #timer: Timer | undefined;
  #tidying: Timer | undefined;

  constructor(resources: ResourceTable, environment: Environment, options: FairnessOptions = {}) {
    this.environment = environment;
    this.#resources = resources;
    this.serverSeats = (options.maxReadsInFlight ?? defaultReads) + (options.maxWritesInFlight ?? defaultWrites);
    this.#levelObjects = resources.of(PriorityLevelConfiguration).storage!.cache;
    this.#schemaObjects = resources.of(FlowSchema).storage!.cache;
    this.#levelObjects.onEvent(() => this.#changed());
    this.#schemaObjects.onEvent(() => this.#changed());
  }

  /** Lends seats and keeps the objects tidy from now on, until `stop`. */
  start(loopback: () => Client): void {
    this.#client = loopback;
    this.#tidySoon();
    const lend = (): void => {
      this.fairFraction = lendSeats([...this.#levels.values()], this.serverSeats);
      this.#timer = this.environment.clock.schedule(lendingIntervalMs, lend);
    };
    this.#timer = this.environment.clock.schedule(lendingIntervalMs, lend);
  }

  stop(): void {
    this.#client = undefined;
    this.#timer?.cancel();
    this.#tidying?.cancel();
  }

  #tidySoon(): void {
    const { clock, log } = this.environment;
    this.#tidying ??= clock.schedule(tidyDelayMs, () => {
      this.#tidying = undefined;
      const client = this.#client?.();
      if (client === undefined) return;
      tidyFlowControl(client, this.#resources, clock.now()).catch((error: unknown) => {
        if (this.#client !== undefined) log.warn('cannot tidy flow schemas', { error: String(error) });
      });
    });
  }

  levels(): readonly Level[] {
    this.schemas();
    return [...this.#levels.values()];
  }

  /** The permit of a request: at once, or when its turn comes; undefined for requests that are not limited. @throws ApiError 429. */
  admit(
    info: RequestInfo,
    user: UserInfo,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Permit | Promise<Permit> | undefined {
    if (isLongRunning(info)) return undefined;
    const flow = (this.#schemas ?? this.schemas()).flowOf(info, user, this.#levelUid);
    const level =
      flow === undefined ? undefined : (this.#levels.get(flow.schema.levelName) ?? this.#levels.get(everything));
    if (flow === undefined || level === undefined) return undefined;
    const seats = level.isExempt ? 1 : seatsOf(info, query, this.#resources);
    if (!level.tryStart(seats)) return this.#wait(level, flow, { seats, kind: kindOf(info) }, signal);
    return this.#permit(level, flow, seats, 0);
  }

  #permit(level: Level, flow: Flow, seats: number, waitedMs: number): Permit {
    flow.schema.dispatched++;
    flow.schema.running.enter(seats);
    this.observer?.started(flow, { level, seats, waitedMs });
    return { level, flow, seats, isFinished: false, startedMs: this.environment.clock.monotonic(), waitedMs };
  }

  async #wait(
    level: Level,
    flow: Flow,
    { seats, kind }: { readonly seats: number; readonly kind: 'readOnly' | 'mutating' },
    signal: AbortSignal,
  ): Promise<Permit> {
    const { clock } = this.environment;
    const since = clock.monotonic();
    let isQueued = false;
    const onQueued = (length: number): void => {
      isQueued = true;
      this.waiting[kind]++;
      flow.schema.waiting.enter(seats);
      this.observer?.queued(flow, length);
    };
    const outcome = await level.wait({ hash: flow.hash, seats, onQueued }, { clock, limitMs: waitLimitMs, signal });
    if (isQueued) {
      this.waiting[kind]--;
      flow.schema.waiting.leave(seats);
    }
    const waitedMs = clock.monotonic() - since;
    if (outcome === 'started') return this.#permit(level, flow, seats, waitedMs);
    this.observer?.refused(flow, { level, seats, waitedMs });
    throw this.#reject(level, flow, outcome);
  }

  #reject(level: Level, { schema }: Flow, reason: Rejection): ApiError {
    const key = `${level.name} ${schema.name} ${reason}`;
    this.rejected.set(key, (this.rejected.get(key) ?? 0) + 1);
    const message = 'Too many requests, please try again later.';
    return new ApiError(429, 'TooManyRequests', message, { retryAfterSeconds });
  }

  #changed(): void {
    // Worked out when the next request comes: several changes often come together.
    const before = this.#schemas;
    this.#schemas = undefined;
    this.#before = before ?? this.#before;
    if (this.#client !== undefined) this.#tidySoon();
  }

  #before: Schemas | undefined;

  schemas(): Schemas {
    if (this.#schemas !== undefined) return this.#schemas;
    const objects = [...this.#schemaObjects.entries()].map(({ value }) => value.object as SchemaObject);
    const schemas = new Schemas(objects, this.#before);
    this.#schemas = schemas;
    this.#configureLevels();
    return schemas;
  }

  #configureLevels(): void {
    const current: { level: Level; object: LevelObject }[] = [];
    for (const { value } of this.#levelObjects.entries()) {
      const object = value.object as LevelObject;
      const name = object.metadata.name ?? '';
      const level = this.#levels.get(name) ?? new Level(name, this.environment.clock);
      level.configure(object);
      current.push({ level, object });
    }
    // Requests of a level that is gone end with it; nobody new finds it.
    this.#levels.clear();
    for (const { level } of current) this.#levels.set(level.name, level);
    assignNominalSeats(current, this.serverSeats);
    for (const { level } of current) level.dispatch();
  }
}
