/** Keeps answers of the official server that ours gives as well: see README.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { type Case, caseOf, readBases } from './cases.ts';
import { Subject } from './compare.ts';
import { Asker } from './exchange.ts';
import { differences, type NormalAnswer, timeless } from './normal-form.ts';
import { onceDifferent } from './once-different.ts';
import { type Recorded, recordFile } from './recorded.ts';
import { startOfficial, startOurs } from './servers.ts';

const { values } = parseArgs({
  options: {
    official: { type: 'string' },
    seed: { type: 'string', default: '1000000' },
    count: { type: 'string', default: '5000' },
  },
});
if (values.official === undefined) throw new Error('--official FILE: the path of kube-apiserver');
const wanted = Number(values.count);
/** Each kept answer may need a few tries. */
const mostTries = wanted * 4;

/** The status of flow schemas is written some time after them: answers with it depend on when they are asked for. */
function isWrittenMeanwhile(answer: NormalAnswer): boolean {
  return JSON.stringify(answer.body).includes('"manager":"api-priority-and-fairness-config-consumer-v1"');
}

const ours = await startOurs();
const official = await startOfficial(values.official);
try {
  const bases = readBases(ours.server);
  const [reference, subject] = [official, ours].map(({ access }) => new Subject(new Asker(access), bases)) as [
    Subject,
    Subject,
  ];
  for (const each of [reference, subject]) await each.prepare();
  const first = Number(values.seed);
  const tries = Array.from({ length: mostTries }, (_, index) => caseOf(first + index, bases));
  const known = onceDifferent(bases);
  const kept: Recorded[] = [];
  const keep = async (todo: readonly Case[], most: number): Promise<void> => {
    for (const asked of todo) {
      if (kept.length >= most) return;
      const [expected, found]: NormalAnswer[] = await Promise.all([reference.answer(asked), subject.answer(asked)]);
      const different = differences(timeless(expected!), timeless(found!));
      if (different.length === 0 && !isWrittenMeanwhile(expected!)) kept.push({ asked, answer: expected! });
      else if (different.length > 0 && known.includes(asked))
        process.stderr.write(`not kept: ${JSON.stringify(asked)}: ${different[0]}\n`);
    }
  };
  const isCreated = ({ operation }: Case): boolean => operation === 'create';
  await keep([...known.filter(isCreated), ...tries.filter(isCreated)], wanted * 0.4);
  for (const each of [reference, subject]) await each.store();
  await keep(
    [...known, ...tries].filter((asked) => !isCreated(asked)),
    wanted,
  );
  const lines = kept.map((entry) => JSON.stringify(entry)).join('\n');
  writeFileSync(recordFile, brotliCompressSync(lines));
  process.stdout.write(`${kept.length} answers kept\n`);
} finally {
  await official.stop();
  await ours.stop();
}
