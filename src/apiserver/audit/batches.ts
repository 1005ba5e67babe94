import { Batches, type BatchOptions } from '#base/batches.ts';
import type { Environment } from '#base/environment.ts';
import type { AuditEvent } from './event.ts';

/** Gathers events, so that requests do not wait for where they go; what cannot be delivered is lost. */
export function auditBatches(
  options: BatchOptions,
  { clock, log }: Environment,
  deliver: (events: readonly AuditEvent[]) => void | Promise<void>,
): Batches<AuditEvent> {
  return new Batches(options, clock, async (events) => {
    try {
      await deliver(events);
    } catch (error) {
      log.error('audit events are lost', { events: events.length, error: String(error) });
    }
  });
}
