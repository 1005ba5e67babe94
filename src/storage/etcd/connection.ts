import {
  type ChannelCredentials,
  type ClientDuplexStream,
  credentials,
  Client as GrpcClient,
  Metadata,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { StoreTimeout, StoreUnavailable } from '../store.ts';

/** Where etcd is and how to prove who asks. */
export interface EtcdOptions {
  /** `http://127.0.0.1:2379`, one for each member that may be asked. */
  readonly endpoints: readonly string[];
  /** PEM: the authority that the members' certificates come from; without it connections are not encrypted. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** How long a member may take to answer before another is asked: a small question, and one for a page of values. */
export const callTimeoutMs = 2_000;
export const pageTimeoutMs = 5_000;
const retryPauseMs = 100;

const same = (bytes: Buffer): Buffer => bytes;

/** Calls to whichever member of an etcd cluster answers. */
export class EtcdConnection {
  readonly #clients: readonly GrpcClient[];
  readonly #clock: Clock;
  readonly #onFailure: (member: number) => void;
  #current = 0;

  /** @param onFailure hears of a member that did not answer a call */
  constructor(
    { endpoints, ca, certificate, key }: EtcdOptions,
    { clock, onFailure }: { readonly clock: Clock; readonly onFailure: (member: number) => void },
  ) {
    this.#clock = clock;
    this.#onFailure = onFailure;
    const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
    const proof: ChannelCredentials =
      ca === undefined ? credentials.createInsecure() : credentials.createSsl(pem(ca), pem(key), pem(certificate));
    this.#clients = endpoints.map(
      (endpoint) =>
        new GrpcClient(endpoint.replace(/^https?:\/\//, ''), proof, {
          'grpc.max_receive_message_length': -1,
          'grpc.max_send_message_length': -1,
          'grpc.initial_reconnect_backoff_ms': 100,
          'grpc.max_reconnect_backoff_ms': 1_000,
          'grpc.keepalive_time_ms': 30_000,
          'grpc.keepalive_timeout_ms': 10_000,
        }),
    );
  }

  /**
   * Asks until a member answers or `limitMs` is over. A request that is asked again may have been carried out the first
   * time: whoever writes must be able to tell.
   * @throws StoreUnavailable when no member could be reached, StoreTimeout when one was and did not answer, EtcdRefusal
   * for an answer that asking again would not change.
   */
  async call(
    method: string,
    request: Buffer,
    { limitMs, timeoutMs = callTimeoutMs }: { readonly limitMs: number; readonly timeoutMs?: number },
  ): Promise<{ readonly answer: Buffer; readonly again: boolean }> {
    const deadline = this.#clock.monotonic() + limitMs;
    let reached = false;
    for (let again = false; ; again = true) {
      const member = this.#current;
      try {
        return { answer: await this.#ask(member, method, request, timeoutMs), again };
      } catch (error) {
        if (error instanceof EtcdRefusal) throw error;
        this.avoid(member);
        this.#onFailure(member);
        reached ||= (error as { readonly code?: number }).code !== status.UNAVAILABLE;
        if (this.#clock.monotonic() >= deadline) {
          const message = `etcd: ${messageOf(error)}`;
          throw reached ? new StoreTimeout(message) : new StoreUnavailable(message);
        }
        await this.#pause(retryPauseMs);
      }
    }
  }

  #ask(member: number, method: string, request: Buffer, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (error: { readonly code?: number; readonly details?: string } | null, answer?: Buffer): void => {
        limit.cancel();
        if (error === null) resolve(answer ?? Buffer.alloc(0));
        else reject(isRefusal(error) ? new EtcdRefusal(error.code ?? 0, messageOf(error)) : error);
      };
      const call = this.#clients[member]!.makeUnaryRequest(method, same, same, request, new Metadata(), {}, done);
      const limit = this.#clock.schedule(timeoutMs, () => call.cancel());
    });
  }

  /** A stream to the member that is asked now. */
  watch(): { readonly member: number; readonly stream: ClientDuplexStream<Buffer, Buffer> } {
    // Without a leader a member would keep silent instead of saying that it has lost the others.
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    const member = this.#current;
    const path = '/etcdserverpb.Watch/Watch';
    return { member, stream: this.#clients[member]!.makeBidiStreamRequest(path, same, same, metadata, {}) };
  }

  /** A member does not answer as it should: the next question goes to another. */
  avoid(member: number): void {
    if (this.#current === member) this.#current = (member + 1) % this.#clients.length;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** A request that etcd understood and will not carry out. */
export class EtcdRefusal extends Error {
  override readonly name = 'EtcdRefusal';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function isRefusal({ code, details }: { readonly code?: number; readonly details?: string }): boolean {
  return (
    code === status.INVALID_ARGUMENT ||
    code === status.OUT_OF_RANGE ||
    code === status.PERMISSION_DENIED ||
    code === status.UNAUTHENTICATED ||
    code === status.NOT_FOUND ||
    (code === status.FAILED_PRECONDITION && details?.includes('lease already exists') === true) ||
    code === status.RESOURCE_EXHAUSTED
  );
}

function messageOf(error: unknown): string {
  const { details } = error as { readonly details?: string };
  const text = details ?? (error instanceof Error ? error.message : String(error));
  return text.replace(/\s*Resolution note:.*$/s, '');
}
