import type { Environment } from '#base/environment.ts';
import { KeyedQueue } from '#base/keyed-queue.ts';
import { Metrics } from '#base/metrics.ts';
import { queueObserver } from '#base/queue-metrics.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Client } from './client.ts';
import { createEventRecorder, type EventRecorder } from './events.ts';
import { isNamespaceTerminating, messageOf } from './failures.ts';
import type { Informer } from './informer.ts';
import type { Informers } from './informers.ts';
import { OwnWrites } from './own-writes.ts';
import { noteRunning } from './running-controllers.ts';

/** What a reconcile answers: nothing more to do until something changes, or look again after a while. */
export type ReconcileResult =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'retryAfter'; readonly delayMs: number };

export const done: ReconcileResult = { outcome: 'done' };

export function retryAfter(delayMs: number): ReconcileResult {
  return { outcome: 'retryAfter', delayMs };
}

/** What a reconcile is given besides its key. */
export interface Turn {
  /** Writes through this client are seen by the informers before the key's next turn. */
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** Brings what a key stands for closer to what is wanted. Throwing means: again, after a growing delay. */
export type Reconcile = (key: string, turn: Turn) => Promise<ReconcileResult>;

/** The keys that an event concerns. Of a change it is asked twice: for the object as it was, and as it is. */
export type KeysOf<T extends ApiObject> = (object: T, event: InformerEvent<T>) => readonly string[];

export type InformerEvent<T extends ApiObject> =
  | { readonly type: 'added' }
  | { readonly type: 'updated'; readonly old: T; readonly current: T }
  | { readonly type: 'deleted' };

/** What a controller finds when it is set up. */
export interface ControllerContext {
  readonly environment: Environment;
  readonly events: EventRecorder;
  /** Where the controller counts what it does; read by nobody where the environment has none. */
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** The controller's own identity, without tracking of writes: for work outside a turn. */
  readonly client: Client;
  /**
   * Follows all objects of a kind: every event queues the keys that `keysOf` names, for an update also those that
   * it names for the old object. Without `keysOf` the cache is only read.
   */
  watch<T extends ApiObject>(kind: Kind<T>, keysOf?: KeysOf<T>): Informer<T>;
  /** The informer of a kind whose server may be away: nobody waits for its first list, nor for it to show what was written. */
  watchApart<T extends ApiObject>(kind: Kind<T>, keysOf?: KeysOf<T>): Informer<T>;
  /** Ends what `watch` began, for everybody: the kind itself has gone. */
  unwatch(kind: Kind): void;
  enqueue(key: string): void;
  enqueueAfter(key: string, delayMs: number): void;
}

/** A control loop. Adding one is one folder with this value and one line in `controllers/index.ts`. */
export interface Controller {
  /** The service account in kube-system that it acts as, for example `deployment-controller`. */
  readonly name: string;
  /** How events name it, when not by its service account. */
  readonly component?: string;
  /** How upstream names its work queue, when not as the service account without `-controller`. */
  readonly queue?: string;
  /** Keys worked on at once; 1 unless set. */
  readonly workers?: number;
  /** Called once, before the informers run. */
  setup(context: ControllerContext): Reconcile;
}

export function defineController(controller: Controller): Controller {
  return controller;
}

/** Conflicts and races with deletion are everyday life; only what persists this long is worth a warning. */
const failuresUntilWarning = 4;

/** Upstream names the queue of the `deployment-controller` `deployment`. */
function queueNameOf({ name, queue }: Controller): string {
  return queue ?? name.replace(/-controller$/, '');
}

/** Runs a controller until the signal aborts; resolves when its workers have ended. */
export async function runController(
  controller: Controller,
  options: { readonly client: Client; readonly informers: Informers; readonly environment: Environment },
  signal: AbortSignal,
): Promise<void> {
  const environment = { ...options.environment, log: options.environment.log.named(controller.name) };
  const queue = new KeyedQueue(environment.clock);
  const { clock, metrics } = environment;
  if (metrics !== undefined)
    queue.observer = queueObserver({ clock, metrics }, queueNameOf(controller), () => queue.size);
  const read = new Map<unknown, Informer<never>>();
  const events = createEventRecorder({
    client: options.client,
    environment,
    component: controller.component ?? controller.name,
    signal,
  });
  const watchApart = <T extends ApiObject>(kind: Kind<T>, keysOf?: KeysOf<T>): Informer<T> => {
    const informer = options.informers.of(kind);
    if (keysOf !== undefined) subscribe(informer, keysOf, (key) => queue.add(key));
    return informer;
  };
  const reconcile = controller.setup({
    environment,
    events,
    metrics: metrics ?? new Metrics(),
    signal,
    client: options.client,
    enqueue: (key) => queue.add(key),
    unwatch(kind) {
      read.delete(kind);
      options.informers.release(kind);
    },
    enqueueAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    watch<T extends ApiObject>(kind: Kind<T>, keysOf?: KeysOf<T>): Informer<T> {
      const informer = watchApart(kind, keysOf);
      read.set(kind, informer as unknown as Informer<never>);
      return informer;
    },
    watchApart,
  });
  // Sequential is as fast as concurrent here: all informers list at the same time.
  try {
    for (const informer of read.values()) await informer.synced(signal);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  // A signal that has aborted meanwhile tells nobody any more.
  if (signal.aborted) return;
  const ended = metrics === undefined ? undefined : noteRunning(metrics, controller.component ?? controller.name);
  signal.addEventListener('abort', () => queue.close(), { once: true });
  const informerOf = <T extends ApiObject>(kind: Kind<T>) => read.get(kind) as unknown as Informer<T> | undefined;
  const context: WorkContext = { reconcile, queue, client: options.client, informerOf, environment, signal };
  await Promise.all(Array.from({ length: controller.workers ?? 1 }, () => work(context)));
  ended?.();
}

function subscribe<T extends ApiObject>(
  informer: Informer<T>,
  keysOf: KeysOf<T>,
  enqueue: (key: string) => void,
): void {
  const each = (object: T, event: InformerEvent<T>): void => {
    for (const key of keysOf(object, event)) enqueue(key);
  };
  informer.subscribe({
    added: (object) => each(object, { type: 'added' }),
    updated(old, object) {
      const event: InformerEvent<T> = { type: 'updated', old, current: object };
      // Both, since what an object belongs to may have changed; a key of both has one turn for it.
      const before = keysOf(old, event);
      for (const key of before) enqueue(key);
      for (const key of keysOf(object, event)) if (!before.includes(key)) enqueue(key);
    },
    deleted: (object) => each(object, { type: 'deleted' }),
  });
}

interface WorkContext {
  readonly reconcile: Reconcile;
  readonly queue: KeyedQueue;
  readonly client: Client;
  readonly informerOf: <T extends ApiObject>(kind: Kind<T>) => Informer<T> | undefined;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

async function work(context: WorkContext): Promise<void> {
  const { queue, signal } = context;
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    await turn(context, key);
    if (signal.aborted) return;
  }
}

async function turn(
  { reconcile, queue, client, informerOf, environment, signal }: WorkContext,
  key: string,
): Promise<void> {
  const writes = new OwnWrites(informerOf);
  try {
    const result = await reconcile(key, { client: writes.through(client), signal });
    queue.forget(key);
    if (result.outcome === 'retryAfter') queue.addAfter(key, result.delayMs);
  } catch (error) {
    if (signal.aborted) return;
    if (isNamespaceTerminating(error)) queue.forget(key);
    else {
      queue.retry(key);
      report(environment, key, queue.failures(key), error);
    }
  }
  // The key stays in work until the caches show what was written: its next turn reads its own writes.
  await writes.visible(signal)?.catch(() => undefined);
  queue.done(key);
}

function report({ log }: Environment, key: string, failures: number, error: unknown): void {
  const message = messageOf(error);
  const ordinary = isReason(error, 'Conflict') || isReason(error, 'NotFound') || isReason(error, 'AlreadyExists');
  if (ordinary && failures < failuresUntilWarning) log.debug('will try again', { key, failures, message });
  else log.warn('will try again', { key, failures, message });
}
