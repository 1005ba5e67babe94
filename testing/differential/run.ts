/** Compares the official API server with ours: see README.md. */
import { parseArgs } from 'node:util';
import { type Case, caseOf, readBases, requestOf } from './cases.ts';
import { differ, Subject, shrunk } from './compare.ts';
import { Asker } from './exchange.ts';
import { startOfficial, startOurs } from './servers.ts';

const { values } = parseArgs({
  options: {
    official: { type: 'string' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '2000' },
    kind: { type: 'string', multiple: true },
    operation: { type: 'string', multiple: true },
    examples: { type: 'string', default: '1' },
    workers: { type: 'string', default: '8' },
  },
});
if (values.official === undefined) throw new Error('--official FILE: the path of kube-apiserver');

interface Group {
  count: number;
  readonly examples: { readonly asked: Case; readonly found: readonly string[] }[];
}

const ours = await startOurs();
const official = await startOfficial(values.official);
try {
  const bases = readBases(ours.server);
  const subjects = [official, ours].map(({ access }) => new Subject(new Asker(access), bases)) as [Subject, Subject];
  for (const subject of subjects) await subject.prepare();
  const first = Number(values.seed);
  const cases = Array.from({ length: Number(values.count) }, (_, index) => caseOf(first + index, bases)).filter(
    ({ base, operation }) =>
      (values.kind?.includes(bases[base]!.object.kind) ?? true) && (values.operation?.includes(operation) ?? true),
  );
  const groups = new Map<string, Group>();
  const isNew = ({ operation }: Case): boolean => operation === 'create';
  let compared = 0;
  const explained = new Map<string, number>();
  const compareAll = async (todo: readonly Case[]): Promise<void> => {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let asked = todo[next++]; asked !== undefined; asked = todo[next++]) {
        const { found, explanation } = await differ(...subjects, asked);
        compared++;
        if (explanation !== undefined) explained.set(explanation, (explained.get(explanation) ?? 0) + 1);
        if (found.length === 0) continue;
        const key = `${bases[asked.base]!.object.kind} ${asked.operation} ${found[0]!.split(':')[0]}`;
        const group = groups.get(key) ?? { count: 0, examples: [] };
        groups.set(key, group);
        group.count++;
        if (group.examples.length < Number(values.examples))
          group.examples.push(await shrunk(asked, async (smaller) => (await differ(...subjects, smaller)).found));
      }
    };
    await Promise.all(Array.from({ length: Number(values.workers) }, worker));
  };
  await compareAll(cases.filter(isNew));
  for (const subject of subjects) await subject.store();
  await compareAll(cases.filter((asked) => !isNew(asked)));
  const different = [...groups.values()].reduce((sum, { count }) => sum + count, 0);
  for (const [key, { count, examples }] of [...groups].sort(([, left], [, right]) => right.count - left.count)) {
    process.stdout.write(`\n${count} × ${key}\n`);
    for (const { asked, found } of examples) {
      const { method, path } = requestOf(asked, bases[asked.base]!, bases[asked.base]!.object);
      process.stdout.write(`  ${method} ${path}  ${JSON.stringify(asked.mutations).slice(0, 700)}\n`);
      for (const line of found.slice(0, 6)) process.stdout.write(`    ${line}\n`);
    }
  }
  for (const [why, count] of explained) process.stdout.write(`\nexplained by ${why}: ${count}\n`);
  process.stdout.write(`\n${compared} requests, ${different} answered differently, in ${groups.size} ways\n`);
} finally {
  await official.stop();
  await ours.stop();
}
