/** Compares the two servers over sequences of requests, and records what the official one answers: see ../README.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { Asker } from '../exchange.ts';
import { differences, type NormalAnswer } from '../normal-form.ts';
import { startOfficial, startOurs } from '../servers.ts';
import { readSequences, sequenceFile, sequences } from './index.ts';
import { answersTo } from './sequence.ts';

const { values } = parseArgs({
  options: {
    official: { type: 'string' },
    record: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
});
if (values.official === undefined) throw new Error('--official FILE: the path of kube-apiserver');

const ours = await startOurs();
const official = await startOfficial(values.official);
const askers = [official, ours].map(({ access }) => new Asker(access)) as [Asker, Asker];
const recorded: Record<string, readonly (NormalAnswer | null)[]> = { ...readSequences() };
/** The official server takes its time with what a definition changes. */
const settleMs = 2_000;
let [compared, different] = [0, 0];
try {
  for (const [name, steps] of Object.entries(sequences)) {
    if (values.only !== undefined && !values.only.includes(name)) continue;
    const [expected, found] = await Promise.all([answersTo(steps, askers[0], settleMs), answersTo(steps, askers[1])]);
    recorded[name] = expected.map((answer) => answer ?? null);
    for (const [index, { what }] of steps.entries()) {
      const problems = differences(expected[index], found[index]);
      if (expected[index] !== undefined) compared++;
      if (problems.length === 0) continue;
      different++;
      process.stdout.write(
        `${name}: ${what}\n${problems
          .slice(0, 6)
          .map((line) => `    ${line}\n`)
          .join('')}`,
      );
    }
  }
  process.stdout.write(`${compared} requests in sequences, ${different} answered differently\n`);
  if (values.record) writeFileSync(sequenceFile, brotliCompressSync(JSON.stringify(recorded)));
} finally {
  for (const asker of askers) asker.close();
  await official.stop();
  await ours.stop();
}
