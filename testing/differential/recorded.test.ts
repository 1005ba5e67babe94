import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Case, caseOf, readBases } from './cases.ts';
import { Subject } from './compare.ts';
import { Asker } from './exchange.ts';
import { differences, timeless } from './normal-form.ts';
import { type Recorded, readRecorded } from './recorded.ts';
import { startOurs } from './servers.ts';

const askedAtOnce = 8;
/** Of what is different, so much is shown. */
const shown = 10;

test('the answers that the official server gave are ours', async () => {
  const ours = await startOurs();
  const asker = new Asker(ours.access);
  try {
    const subject = new Subject(asker, readBases(ours.server));
    const recorded = readRecorded();
    const wrong: string[] = [];
    const check = async (entries: readonly Recorded[]): Promise<void> => {
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let entry = entries[next++]; entry !== undefined; entry = entries[next++]) {
          const found = differences(timeless(entry.answer), timeless(await subject.answer(entry.asked)));
          if (found.length > 0) wrong.push(`${JSON.stringify(entry.asked)}: ${found[0]}`);
        }
      };
      await Promise.all(Array.from({ length: askedAtOnce }, worker));
    };
    await subject.prepare();
    await check(recorded.filter(({ asked }) => asked.operation === 'create'));
    await subject.store();
    await check(recorded.filter(({ asked }) => asked.operation !== 'create'));
    assert.deepEqual(wrong.slice(0, shown), [], `${wrong.length} of ${recorded.length} answers are different`);
  } finally {
    asker.close();
    await ours.stop();
  }
});

const randomRequests = 4_000;
const firstSeed = 9_000_000;

test('random requests are answered, never failed at', async () => {
  const ours = await startOurs();
  const asker = new Asker(ours.access);
  try {
    const bases = readBases(ours.server);
    const subject = new Subject(asker, bases);
    const cases = Array.from({ length: randomRequests }, (_, index) => caseOf(firstSeed + index, bases));
    const failures: string[] = [];
    const ask = async (todo: readonly Case[]): Promise<void> => {
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let asked = todo[next++]; asked !== undefined; asked = todo[next++]) {
          const { body } = await subject.answer(asked);
          const { message = '' } = (typeof body === 'object' ? body : {}) as { readonly message?: string };
          if (message.startsWith('Internal error occurred')) failures.push(`${JSON.stringify(asked)}: ${message}`);
        }
      };
      await Promise.all(Array.from({ length: askedAtOnce }, worker));
    };
    await subject.prepare();
    await ask(cases.filter(({ operation }) => operation === 'create'));
    await subject.store();
    await ask(cases.filter(({ operation }) => operation !== 'create'));
    assert.deepEqual(failures.slice(0, shown), []);
  } finally {
    asker.close();
    await ours.stop();
  }
});
