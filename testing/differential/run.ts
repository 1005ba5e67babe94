/** Compares the official API server with ours: see README.md. */
import { parseArgs } from 'node:util';
import { type Base, type Case, caseOf, readBases, requestOf } from './cases.ts';
import { type Difference, differ, Subject, shrunk } from './compare.ts';
import { EnduringAsker } from './enduring.ts';
import { Asker } from './exchange.ts';
import { startOfficial, startOurs } from './servers.ts';
import { countExplained, groupOf, keepProgress, type Progress, phases, progressIn, summaryOf } from './tally.ts';

const { values } = parseArgs({
  options: {
    official: { type: 'string' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '2000' },
    kind: { type: 'string', multiple: true },
    operation: { type: 'string', multiple: true },
    examples: { type: 'string', default: '1' },
    workers: { type: 'string', default: '8' },
    progress: { type: 'string' },
    minutes: { type: 'string' },
  },
});
if (values.official === undefined) throw new Error('--official FILE: the path of kube-apiserver');

/** So many seeds are taken at a time; after each slice the progress is kept. */
const sliceLength = 2_000;
/** Of what a request asks, so much is printed: with its seed, it can be asked again. */
const shownOfRequest = 700;
const count = Number(values.count);
const endBy = values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.minutes) * 60_000;

function isWanted({ base, operation }: Case, phase: number, bases: readonly Base[]): boolean {
  return (
    (operation === 'create') === (phases[phase] === 'create') &&
    (values.kind?.includes(bases[base]!.object.kind) ?? true) &&
    (values.operation?.includes(operation) ?? true)
  );
}

/** What is compared, and where its outcome goes. */
interface Run {
  readonly bases: readonly Base[];
  readonly subjects: readonly [Subject, Subject];
  readonly progress: Progress;
}

/** A case and where it came from. */
interface Seeded {
  readonly seed: number;
  readonly asked: Case;
}

async function compare({ bases, subjects, progress }: Run, { seed, asked }: Seeded): Promise<void> {
  const { found, explanation } = await differ(...subjects, asked).catch(noAnswer);
  progress.compared++;
  if (explanation !== undefined) countExplained(progress, explanation);
  if (found.length === 0) return;
  const member = found[0]!.split(':')[0]!;
  const group = groupOf(progress, `${bases[asked.base]!.object.kind} ${asked.operation} ${member}`);
  group.count++;
  if (group.examples.length >= Number(values.examples)) return;
  const example = await shrunk(asked, async (smaller) => (await differ(...subjects, smaller).catch(noAnswer)).found);
  if (group.examples.length < Number(values.examples)) group.examples.push({ seed, ...example });
}

/** A request that could not be asked, or read, is a difference: it does not end the run. */
function noAnswer(error: unknown): Difference {
  return { found: [`no answer: ${String(error)}`] };
}

async function compareAll(run: Run, cases: readonly Seeded[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let one = cases[next++]; one !== undefined; one = cases[next++]) await compare(run, one);
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, worker));
}

/** Takes the seeds in slices, from where the progress is, until all are done or the time is up. */
async function goThrough(run: Run): Promise<void> {
  const { bases, subjects, progress } = run;
  const first = Number(values.seed);
  for (; progress.phase < phases.length; progress.phase++, progress.next = 0) {
    if (phases[progress.phase] === 'others') for (const subject of subjects) await subject.store();
    while (progress.next < count) {
      if (Date.now() > endBy) return;
      const length = Math.min(sliceLength, count - progress.next);
      const slice = Array.from({ length }, (_, index) => first + progress.next + index);
      await compareAll(
        run,
        slice
          .map((seed) => ({ seed, asked: caseOf(seed, bases) }))
          .filter(({ asked }) => isWanted(asked, progress.phase, bases)),
      );
      progress.next += length;
      if (values.progress !== undefined) keepProgress(values.progress, progress);
      const different = Object.values(progress.groups).reduce((sum, group) => sum + group.count, 0);
      process.stderr.write(
        `${phases[progress.phase]} ${progress.next}/${count}: ${progress.compared} requests, ${different} different\n`,
      );
    }
  }
}

const { seed, kind, operation } = values;
const progress = progressIn(values.progress, JSON.stringify({ seed, count, kind, operation }));
const ours = await startOurs();
const official = await startOfficial(values.official);
try {
  const bases = readBases(ours.server);
  const reference = new EnduringAsker(new Asker(official.access), official.revive);
  const subjects = [new Subject(reference, bases), new Subject(new Asker(ours.access), bases)] as const;
  for (const subject of subjects) await subject.prepare();
  await goThrough({ bases, subjects, progress });
  const show = (asked: Case): string => {
    const { method, path } = requestOf(asked, bases[asked.base]!, bases[asked.base]!.object);
    return `${method} ${path}  ${JSON.stringify(asked.mutations).slice(0, shownOfRequest)}`;
  };
  process.stdout.write(summaryOf(progress, show));
  if (progress.phase < phases.length)
    process.stdout.write(`not all: stopped in ${phases[progress.phase]} at ${progress.next}\n`);
} finally {
  await official.stop();
  await ours.stop();
}
