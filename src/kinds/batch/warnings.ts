import { templateWarnings } from '#kinds/core/pod/warnings/index.ts';
import type { JobSpec } from '#kinds/generated/types/batch_v1.ts';

const manyCompletions = 100_000;
const manyAtOnce = 10_000;

/** What is odd about a job, at `spec` or in a CronJob. */
export function jobSpecWarnings(spec: JobSpec | undefined, path: string): readonly string[] {
  if (spec === undefined) return [];
  const { completionMode, completions = 0, parallelism = 0 } = spec;
  const isTooMuch = completionMode === 'Indexed' && completions > manyCompletions && parallelism > manyAtOnce;
  const detail =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';
  return [...(isTooMuch ? [`${path}: ${detail}`] : []), ...templateWarnings(spec.template, `${path}.template`)];
}
