/**
 * Makes `count` calls in batches of 1, 2, 4, …: a mistake that every call would make (a quota, a broken webhook) is
 * met once, not a thousand times. Stops after the first batch with a failure.
 * @returns how many succeeded and failed, and the first failure.
 */
export async function slowStart(
  count: number,
  call: (index: number) => Promise<void>,
): Promise<{ readonly successes: number; readonly failures: number; readonly failure?: unknown }> {
  let successes = 0;
  let started = 0;
  for (let size = Math.min(count, 1); size > 0; size = Math.min(2 * size, count - started)) {
    const batch = Array.from({ length: size }, (_, index) => call(started + index));
    started += size;
    const outcomes = await Promise.allSettled(batch);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    successes += size - failed.length;
    if (failed[0] !== undefined) return { successes, failures: failed.length, failure: failed[0].reason };
  }
  return { successes, failures: 0 };
}
