/** Several writers change one object again and again, on both servers: see ../README.md. */
import { parseArgs } from 'node:util';
import { type Random, seededRandom } from '#base/random.ts';
import { apiVersionOf, type Json, type JsonObject } from '#machinery/meta.ts';
import { type Base, collectionPath, isStored, readBases } from '../cases.ts';
import { EnduringAsker } from '../enduring.ts';
import { type Answer, Asker, type Request } from '../exchange.ts';
import { explain } from '../explain.ts';
import { pick } from '../generate.ts';
import { differences, type NormalAnswer, normalForm } from '../normal-form.ts';
import { startOfficial, startOurs } from '../servers.ts';
import { directivesFor, partOf } from './parts.ts';

const { values } = parseArgs({
  options: {
    official: { type: 'string' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    kind: { type: 'string', multiple: true },
    length: { type: 'string', default: '12' },
  },
});
if (values.official === undefined) throw new Error('--official FILE: the path of kube-apiserver');

const writers = ['alice', 'bob', 'carol'];

/** The next request of a history, from what the object is now. */
function nextRequest(random: Random, base: Base, path: string, current: JsonObject): Request {
  const { schema, kind } = base.resource;
  const writer = pick(random, writers);
  const dice = random.next();
  const { metadata } = current as { readonly metadata: { readonly name: string } };
  if (dice < 0.25)
    return {
      method: 'PATCH',
      path: `${path}?fieldManager=${writer}`,
      contentType: 'application/strategic-merge-patch+json',
      body: JSON.stringify(directivesFor(random, current, schema)),
    };
  const content = partOf(random, random.next() < 0.5 ? current : base.object, schema);
  const named = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: metadata.name, ...labels(random) },
  };
  return {
    method: 'PATCH',
    path: `${path}?fieldManager=${writer}${random.next() < 0.6 ? '&force=true' : ''}`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify({ ...named, ...content } as Json),
  };
}

function labels(random: Random): object {
  if (random.next() < 0.5) return {};
  const some = ['p', 'q', 'r'].filter(() => random.next() < 0.5).map((name) => [name, pick(random, ['1', '2'])]);
  return { labels: Object.fromEntries(some) as object };
}

/** The request with what each server chose for the object itself: its identity, its address. */
function translated(request: Request, from: Answer, to: Answer): Request {
  const choices = ({ body }: Answer): readonly string[] => {
    const { metadata, spec } = JSON.parse(body) as {
      readonly metadata?: { readonly uid?: string };
      readonly spec?: { readonly clusterIP?: string; readonly ports?: readonly { readonly nodePort?: number }[] };
    };
    const random = [/X509SHA256=[0-9a-f]+/, /kube-api-access-[a-z0-9]+/].map((form) => form.exec(body)?.[0]);
    const nodePorts = (spec?.ports ?? []).map(({ nodePort }) => nodePort && `"nodePort":${nodePort}`);
    return [metadata?.uid, spec?.clusterIP, ...random, ...nodePorts].map((choice) => choice || 'nothing like it');
  };
  const [theirs, ours] = [choices(from), choices(to)];
  const body = theirs.reduce(
    (text, choice, index) => text.replaceAll(choice, ours[index] ?? choice),
    request.body ?? '',
  );
  return { ...request, body };
}

/** Without the second in which each owner wrote, which orders them. */
function comparable(answer: Answer): NormalAnswer {
  const normal = normalForm(answer);
  const { metadata } = (normal.body ?? {}) as { readonly metadata?: { readonly managedFields?: readonly Json[] } };
  if (metadata === undefined) return normal;
  const entries = (metadata?.managedFields ?? [])
    .map((entry) => JSON.stringify(entry).replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-XXXXX'))
    .sort();
  return {
    ...normal,
    body: { ...(normal.body as JsonObject), metadata: { ...metadata, managedFields: entries } } as Json,
  };
}

const ours = await startOurs();
const official = await startOfficial(values.official);
const askers = [official, ours].map(({ access }) => new Asker(access)) as [Asker, Asker];
const reference = new EnduringAsker(askers[0], official.revive);
const subject = askers[1];
const counts = { histories: 0, requests: 0, different: 0, explained: 0, refused: 0 };
const ways = new Map<string, number>();

async function history(seed: number, bases: readonly Base[]): Promise<void> {
  const random = seededRandom(seed);
  const base = pick(random, bases);
  if (values.kind !== undefined && !values.kind.includes(base.object.kind)) return;
  const metadata = { ...(base.object['metadata'] as JsonObject), name: `h${seed}` };
  const both = (request: Request): Promise<Answer[]> => Promise.all([reference.ask(request), subject.ask(request)]);
  const created = await both({
    method: 'POST',
    path: `${collectionPath(base)}?fieldManager=${pick(random, writers)}`,
    body: JSON.stringify({ ...base.object, metadata }),
  });
  if (created[0]!.status !== 201) return;
  counts.histories++;
  const path = `${collectionPath(base)}/h${seed}`;
  for (let step = 0; step < Number(values.length); step++) {
    const [now, own] = await both({ method: 'GET', path });
    if (now!.status !== 200) return;
    const request = nextRequest(random, base, path, JSON.parse(now!.body) as JsonObject);
    const answers = await Promise.all([reference.ask(request), subject.ask(translated(request, now!, own!))]);
    counts.requests++;
    const [expected, given] = answers.map(comparable) as [NormalAnswer, NormalAnswer];
    const isRefused = expected.status < 200 || expected.status >= 300;
    if (isRefused) counts.refused++;
    const found = differences(expected, given);
    if (found.length === 0) continue;
    // What was written is not written once more, to see whether the answer is always the same.
    const again = async (): Promise<NormalAnswer> => (isRefused ? comparable(await reference.ask(request)) : expected);
    if ((await explain(expected, given, again)) !== undefined) {
      counts.explained++;
      if (isRefused && given.status >= 300) continue;
      return;
    }
    counts.different++;
    const way = `${base.object.kind} ${found[0]!.split(':')[0]}`;
    ways.set(way, (ways.get(way) ?? 0) + 1);
    if (ways.get(way) === 1) {
      process.stdout.write(
        `\n${base.object.kind}, seed ${seed}, step ${step}: ${request.path} ${request.body?.slice(0, 900)}\n`,
      );
      for (const line of found.slice(0, 6)) process.stdout.write(`    ${line}\n`);
    }
    return;
  }
}

try {
  const bases = readBases(ours.server).filter((base) => isStored(base) && base.resource.verbs.has('patch'));
  const account = {
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts',
    body: '{"metadata":{"name":"default"}}',
  };
  for (const asker of [reference, subject]) await asker.ask(account);
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.count); seed++)
    await history(seed, bases);
  process.stdout.write(`\n${JSON.stringify(counts)}\n${JSON.stringify(Object.fromEntries(ways), undefined, 1)}\n`);
} finally {
  for (const asker of askers) asker.close();
  await official.stop();
  await ours.stop();
}
