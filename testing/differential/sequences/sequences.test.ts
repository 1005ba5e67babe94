import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Asker } from '../exchange.ts';
import { differences } from '../normal-form.ts';
import { startOurs } from '../servers.ts';
import { readSequences, sequences } from './index.ts';
import { answersTo } from './sequence.ts';

test('sequences of patches are answered, and owned, as the official server answers and owns them', async () => {
  const recorded = readSequences();
  const ours = await startOurs();
  const asker = new Asker(ours.access);
  try {
    const wrong = await Promise.all(
      Object.entries(sequences).map(async ([name, steps]) => {
        const answers = await answersTo(steps, asker);
        return steps.flatMap(({ what }, index) =>
          differences(recorded[name]![index] ?? undefined, answers[index]).map((line) => `${name}: ${what}: ${line}`),
        );
      }),
    );
    assert.deepEqual(wrong.flat(), []);
  } finally {
    asker.close();
    await ours.stop();
  }
});
