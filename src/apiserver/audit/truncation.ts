import type { Log } from '#base/log.ts';
import type { AuditBackend, AuditEvent } from './event.ts';

export interface TruncationOptions {
  /** Bytes of an event (`--audit-webhook-truncate-max-event-size`): 100 KiB unless set. */
  readonly maxEventBytes?: number;
}

const defaultMaxEventBytes = 100 * 1024;
const truncatedKey = 'audit.k8s.io/truncated';

/** Leaves the objects out of events that are too large, and events that are too large without them. */
export class TruncatingBackend implements AuditBackend {
  readonly #inner: AuditBackend;
  readonly #maxBytes: number;
  readonly #log: Log;

  constructor(inner: AuditBackend, { maxEventBytes = defaultMaxEventBytes }: TruncationOptions, log: Log) {
    this.#inner = inner;
    this.#maxBytes = maxEventBytes;
    this.#log = log;
  }

  write(event: AuditEvent): void | Promise<void> {
    if (this.#fits(event)) return this.#inner.write(event);
    const { requestObject: _, responseObject: __, ...rest } = event;
    const short = { ...rest, annotations: { ...event.annotations, [truncatedKey]: 'true' } };
    if (this.#fits(short)) return this.#inner.write(short);
    this.#log.error('an audit event is lost: it is too large even without its objects', { id: event.auditID });
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #fits(event: AuditEvent): boolean {
    return Buffer.byteLength(JSON.stringify(event)) <= this.#maxBytes;
  }
}
