import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import { randomInteger } from '#base/random.ts';
import { TokenBucket } from '#base/token-bucket.ts';
import { Event as EventKind } from '#kinds/generated/handles.ts';
import type { Event, ObjectReference } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { ApiError, isReason } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf } from '#machinery/meta.ts';
import type { Client } from './client.ts';

/** What happened to an object, as `kubectl describe` shows it. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** One word in upper camel case, for machines. */
  readonly reason: string;
  readonly message: string;
  /** A part of the object: `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/** Says what happened to objects. Never waits and never fails: events are best effort, as everywhere in Kubernetes. */
export interface EventRecorder {
  record<T extends ApiObject>(kind: Kind<T>, object: T, note: EventNote): void;
}

/** Limits and figures of client-go's event correlator. */
export const eventLimits = {
  /** Events waiting to be sent; beyond, new ones are dropped. */
  queue: 1_000,
  /** Series remembered per recorder. */
  series: 4_096,
  /** Per object: this many at once, then one per five minutes. */
  burst: 25,
  perSecond: 1 / 300,
  /** Events that differ in nothing but the message are combined from this many on … */
  similar: 10,
  /** … when they come within this time. */
  similarWithinMs: 600_000,
  attempts: 12,
  retryMs: 10_000,
} as const;

/** The longest message the API accepts, in characters. */
const longestMessage = 1_024;

interface Series {
  readonly name: string;
  readonly firstTimestamp: string;
  count: number;
}

interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Occurrence {
  readonly reference: ObjectReference;
  readonly note: EventNote;
  readonly nowMs: number;
}

export function createEventRecorder(options: {
  readonly client: Client;
  readonly environment: Environment;
  /** Shown in the `From` column. */
  readonly component: string;
  /** The node it speaks for. */
  readonly host?: string;
  readonly signal: AbortSignal;
}): EventRecorder {
  return new CorrelatingRecorder(options);
}

class CorrelatingRecorder implements EventRecorder {
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #component: string;
  readonly #host: string | undefined;
  readonly #signal: AbortSignal;
  readonly #permits = new LruCache<string, TokenBucket>(eventLimits.series);
  readonly #similar = new LruCache<string, Similar>(eventLimits.series);
  readonly #series = new LruCache<string, Series>(eventLimits.series);
  readonly #waiting: Occurrence[] = [];
  #sending = false;
  #sequence: number;

  constructor(options: Parameters<typeof createEventRecorder>[0]) {
    this.#client = options.client;
    this.#environment = options.environment;
    this.#component = options.component;
    this.#host = options.host;
    this.#signal = options.signal;
    // Names carry nanoseconds; the clock has milliseconds. Two recorders must not count in step.
    this.#sequence = randomInteger(options.environment.random, 1_000_000);
  }

  record<T extends ApiObject>(kind: Kind<T>, object: T, note: EventNote): void {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const reference: ObjectReference = {
      kind: kind.kind,
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      apiVersion: apiVersionOf(kind),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(note.fieldPath === undefined ? {} : { fieldPath: note.fieldPath }),
    };
    if (this.#signal.aborted || this.#waiting.length >= eventLimits.queue || !this.#permitted(reference)) return;
    this.#waiting.push({ reference, note, nowMs: this.#environment.clock.now() });
    if (!this.#sending) void this.#send();
  }

  #permitted(reference: ObjectReference): boolean {
    const key = referenceKey(reference);
    let bucket = this.#permits.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#environment.clock, eventLimits);
      this.#permits.set(key, bucket);
    }
    return bucket.tryTake();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#signal.aborted) break;
      await this.#sendOne(this.#combine(next));
    }
    this.#sending = false;
  }

  /** Replaces the message when many events differ in nothing else. */
  #combine(occurrence: Occurrence): Occurrence & { readonly seriesKey: string } {
    const { reference, note, nowMs } = occurrence;
    const group = `${referenceKey(reference)}|${note.type}|${note.reason}`;
    let similar = this.#similar.get(group);
    if (similar === undefined || nowMs - similar.lastMs > eventLimits.similarWithinMs) {
      similar = { messages: new Set(), lastMs: nowMs };
      this.#similar.set(group, similar);
    }
    similar.lastMs = nowMs;
    similar.messages.add(note.message);
    if (similar.messages.size < eventLimits.similar) return { ...occurrence, seriesKey: `${group}|${note.message}` };
    // One more would be one too many: the set stays at its limit.
    similar.messages.delete(note.message);
    const message = `(combined from similar events): ${note.message}`;
    return { ...occurrence, note: { ...note, message }, seriesKey: group };
  }

  async #sendOne(occurrence: Occurrence & { readonly seriesKey: string }): Promise<void> {
    for (let attempt = 1; attempt <= eventLimits.attempts; attempt++) {
      try {
        await this.#write(occurrence);
        return;
      } catch (error) {
        // An answer is final (the namespace is going away, the event is invalid); only silence is worth a retry.
        if (this.#signal.aborted || error instanceof ApiError) return;
        await sleep(this.#environment.clock, eventLimits.retryMs, this.#signal).catch(() => undefined);
      }
    }
  }

  async #write({ reference, note, nowMs, seriesKey }: Occurrence & { readonly seriesKey: string }): Promise<void> {
    const namespace = reference.namespace ?? 'default';
    const time = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
    const message = note.message.slice(0, longestMessage);
    const series = this.#series.get(seriesKey);
    if (series !== undefined) {
      const body = { count: series.count + 1, lastTimestamp: time, message };
      try {
        const ref = { namespace, name: series.name };
        await this.#client.patch(EventKind, ref, { type: 'strategic', body }, { signal: this.#signal });
        series.count++;
        return;
      } catch (error) {
        // Events expire; the series then starts again.
        if (!isReason(error, 'NotFound')) throw error;
      }
    }
    const name = `${reference.name ?? ''}.${this.#nextSuffix(nowMs)}`;
    const event: Event = {
      metadata: { name, namespace },
      involvedObject: reference,
      reason: note.reason,
      message,
      source: { component: this.#component, ...(this.#host === undefined ? {} : { host: this.#host }) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type: note.type,
      reportingComponent: this.#component,
      reportingInstance: this.#host ?? '',
    };
    await this.#client.create(EventKind, event, { signal: this.#signal });
    this.#series.set(seriesKey, { name, firstTimestamp: time, count: 1 });
  }

  #nextSuffix(nowMs: number): string {
    this.#sequence = (this.#sequence + 1) % 1_000_000;
    return (BigInt(nowMs) * 1_000_000n + BigInt(this.#sequence)).toString(16);
  }
}

function referenceKey(reference: ObjectReference): string {
  const { kind, namespace, name, uid, apiVersion, fieldPath } = reference;
  return JSON.stringify([kind, namespace, name, uid, apiVersion, fieldPath]);
}
