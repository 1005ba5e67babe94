import { exponentialBounds } from '#base/metrics.ts';
import { defineController, done, retryAfter } from '#client/controller.ts';
import { keyOf, refOf } from '#client/object-key.ts';
import { Job as JobKind } from '#kinds/generated/handles.ts';
import type { Job } from '#kinds/generated/types/batch_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { parseTime } from '#machinery/time.ts';

/** Deletes finished Jobs after their `ttlSecondsAfterFinished`. */
export const ttlAfterFinished = defineController({
  name: 'ttl-after-finished-controller',
  queue: 'ttl_jobs_to_delete',
  workers: 5,
  setup(context) {
    const { clock } = context.environment;
    const late = context.metrics
      .histogram(
        'ttl_after_finished_controller_job_deletion_duration_seconds',
        'How long after they could be Jobs were deleted.',
        exponentialBounds(0.1, 2, 14),
      )
      .series({});
    const jobs = context.watch(JobKind, (job, { type }) =>
      type !== 'deleted' && expiryMs(job) !== undefined ? [keyOf(job)] : [],
    );
    return async (key, { client, signal }) => {
      const cached = jobs.getByKey(key);
      const cachedExpiry = cached === undefined ? undefined : expiryMs(cached);
      if (cached === undefined || cachedExpiry === undefined) return done;
      if (cachedExpiry > clock.now()) return retryAfter(cachedExpiry - clock.now());
      try {
        // The time to live may have been raised since.
        const job = await client.get(JobKind, refOf(key), { signal });
        const expiry = expiryMs(job);
        const { uid } = job.metadata;
        if (expiry === undefined || expiry > clock.now() || uid === undefined) return done;
        await client.delete(JobKind, refOf(key), { propagationPolicy: 'Foreground', preconditions: { uid }, signal });
        late((clock.now() - expiry) / 1000);
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error;
      }
      return done;
    };
  },
});

/** When the Job is to be deleted; undefined when it is not finished or may stay. */
function expiryMs({ metadata, spec, status }: Job): number | undefined {
  const seconds = spec?.ttlSecondsAfterFinished;
  if (seconds === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const finished = status?.conditions?.find(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
  const atMs = parseTime(finished?.lastTransitionTime ?? '');
  return finished === undefined || Number.isNaN(atMs) ? undefined : atMs + seconds * 1000;
}
