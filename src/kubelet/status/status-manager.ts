import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { withSignal } from '#base/tasks.ts';
import type { Client } from '#client/client.ts';
import { Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Pod, PodStatus } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { isOwned, statusPatch } from './status-patch.ts';

interface Entry {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** What the server is known to have. */
  server: PodStatus;
  serverVersion: number;
  wanted: PodStatus;
  /** The status that was last sent and accepted as a whole. */
  sent: PodStatus | undefined;
  timer: Timer | undefined;
  timerAtMs: number;
  isSending: boolean;
  failures: number;
  /** Set when the pod has ended and its object is to go. */
  deletion: { readonly done: () => void } | undefined;
  sentAtMs: number;
}

/** Changes that come in one after the other while a pod starts are sent together. */
const gatherMs = 10;
const firstRetryMs = 500;
const maxRetryMs = 30_000;
/** What somebody else changes back is set right again, but not in a race. */
const reconcileMs = 10_000;

/** Brings pod statuses to the API: only what changed, one request at a time for each pod, until it has arrived. */
export class StatusManager {
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #signal: AbortSignal;
  readonly #entries = new Map<string, Entry>();

  constructor(options: { readonly client: Client; readonly environment: Environment; readonly signal: AbortSignal }) {
    this.#client = options.client;
    this.#environment = options.environment;
    this.#signal = options.signal;
  }

  /** The latest status of a pod: the one wanted, with what others wrote. */
  get(pod: Pod): PodStatus {
    const entry = this.#entries.get(pod.metadata.uid ?? '');
    if (entry === undefined) return pod.status ?? {};
    const own = (entry.wanted.conditions ?? []).filter(isOwned);
    const others = (pod.status?.conditions ?? []).filter((condition) => !isOwned(condition));
    return { ...entry.wanted, conditions: [...own, ...others] };
  }

  /** What the API has now; sends again what somebody else took back. */
  observe(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata.uid ?? '');
    const version = Number(pod.metadata.resourceVersion ?? 0);
    if (entry === undefined || version < entry.serverVersion) return;
    entry.server = pod.status ?? {};
    entry.serverVersion = version;
    if (statusPatch(entry.server, entry.wanted) === undefined) return;
    const isSettled = entry.sent === entry.wanted;
    const sinceMs = this.#environment.clock.now() - entry.sentAtMs;
    this.#plan(entry, isSettled ? Math.max(gatherMs, reconcileMs - sinceMs) : gatherMs);
  }

  set(pod: Pod, status: PodStatus): void {
    const entry = this.#entry(pod);
    if (statusPatch(entry.wanted, status) === undefined) return;
    entry.wanted = status;
    this.#plan(entry, gatherMs);
  }

  /** After the last status has arrived, deletes the object for good. Resolves when it is gone. */
  async finish(pod: Pod, status: PodStatus): Promise<void> {
    const entry = this.#entry(pod);
    entry.wanted = status;
    const gone = Promise.withResolvers<void>();
    entry.deletion = { done: gone.resolve };
    this.#plan(entry, 0);
    await withSignal(gone.promise, this.#signal);
  }

  forget(uid: string): void {
    const entry = this.#entries.get(uid);
    entry?.timer?.cancel();
    entry?.deletion?.done();
    this.#entries.delete(uid);
  }

  #entry(pod: Pod): Entry {
    const uid = pod.metadata.uid ?? '';
    const known = this.#entries.get(uid);
    if (known !== undefined) return known;
    const entry: Entry = {
      uid,
      name: pod.metadata.name ?? '',
      namespace: pod.metadata.namespace ?? '',
      server: pod.status ?? {},
      serverVersion: Number(pod.metadata.resourceVersion ?? 0),
      wanted: pod.status ?? {},
      sent: undefined,
      timer: undefined,
      timerAtMs: Number.POSITIVE_INFINITY,
      isSending: false,
      failures: 0,
      deletion: undefined,
      sentAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#entries.set(uid, entry);
    return entry;
  }

  #plan(entry: Entry, delayMs: number): void {
    if (entry.isSending || this.#signal.aborted) return;
    const atMs = this.#environment.clock.monotonic() + delayMs;
    if (atMs >= entry.timerAtMs) return;
    entry.timer?.cancel();
    entry.timerAtMs = atMs;
    entry.timer = this.#environment.clock.schedule(delayMs, () => {
      entry.timerAtMs = Number.POSITIVE_INFINITY;
      void this.#send(entry);
    });
  }

  async #send(entry: Entry): Promise<void> {
    if (this.#entries.get(entry.uid) !== entry || entry.isSending) return;
    entry.isSending = true;
    let retryMs: number | undefined;
    try {
      const wanted = entry.wanted;
      await this.#patch(entry);
      if (entry.deletion !== undefined && entry.wanted === wanted) await this.#delete(entry);
      entry.failures = 0;
      if (entry.wanted !== wanted) retryMs = gatherMs;
    } catch (error) {
      retryMs = this.#afterFailure(entry, error);
    } finally {
      entry.isSending = false;
    }
    if (retryMs !== undefined) this.#plan(entry, retryMs);
  }

  async #patch(entry: Entry): Promise<void> {
    const { wanted } = entry;
    const status = statusPatch(entry.server, wanted);
    entry.sent = wanted;
    if (status === undefined) return;
    entry.sentAtMs = this.#environment.clock.now();
    const { uid, name, namespace } = entry;
    const answer = await this.#client.patch(
      PodKind,
      { name, namespace },
      // The uid keeps a status from reaching a successor of the same name.
      { type: 'strategic', body: { metadata: { uid }, status } },
      { subresource: 'status', signal: this.#signal },
    );
    const version = Number(answer.metadata.resourceVersion ?? 0);
    if (version < entry.serverVersion) return;
    entry.server = answer.status ?? {};
    entry.serverVersion = version;
  }

  async #delete(entry: Entry): Promise<void> {
    const { uid, name, namespace } = entry;
    const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal: this.#signal };
    await this.#client.delete(PodKind, { name, namespace }, options);
    entry.deletion?.done();
    entry.deletion = undefined;
  }

  #afterFailure(entry: Entry, error: unknown): number | undefined {
    if (this.#signal.aborted) return undefined;
    const isGone = error instanceof ApiError && (error.code === 404 || isOtherUid(error));
    if (isGone) {
      entry.deletion?.done();
      entry.deletion = undefined;
      return undefined;
    }
    entry.failures++;
    entry.sent = undefined;
    const message = error instanceof Error ? error.message : String(error);
    this.#environment.log.warn('cannot write pod status', { pod: `${entry.namespace}/${entry.name}`, message });
    return Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(10, entry.failures - 1));
  }
}

/** Another pod has the name now: a patch with the old uid would change it, a deletion fails its precondition. */
function isOtherUid({ code, message }: ApiError): boolean {
  return (code === 422 && message.includes('metadata.uid')) || (code === 409 && /uid|UID/.test(message));
}
