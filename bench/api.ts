import { LoadClient, measureRate, medianOf } from './load.ts';
import type { FigureTable } from './table.ts';
import type { Target } from './target.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const manyConfigMaps = '/api/v1/namespaces/kube-public/configmaps';
const payload = 'x'.repeat(1900);
const listObjects = 10_000;
/** One object in so many has a label of its own. */
const labelled = 100;
const listRounds = 15;

function configMap(name: string, labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { app: 'bench', ...labels } },
    data: { payload },
  });
}

/** Creates and reads: what any server that stores objects can do. */
export async function measureObjects(
  { name: by, access }: Target,
  { table, durationMs }: { readonly table: FigureTable; readonly durationMs: number },
): Promise<void> {
  const one = new LoadClient(access, 1);
  const many = new LoadClient(access, 100);
  const reader = new LoadClient(access, 64);
  await measureRate(16, 1500, (index) => many.call('POST', configMaps, configMap(`warm-${index}`)));
  const single = await measureRate(1, durationMs, (index) => one.call('POST', configMaps, configMap(`one-${index}`)));
  table.note('durable creates, 1 writer', '/s', '≥ 3 ×', { higher: true, by, value: single.perSecond });
  const hundred = await measureRate(100, durationMs, (index) =>
    many.call('POST', configMaps, configMap(`many-${index}`)),
  );
  table.note('durable creates, 100 writers', '/s', '≥ 5 ×', { higher: true, by, value: hundred.perSecond });
  table.note('durable creates, 100 writers, p99', 'ms', '', { higher: false, by, value: hundred.p99Ms });
  // Once without being looked at, for what is not compiled yet.
  await measureRate(64, 1500, () => reader.call('GET', `${configMaps}/warm-0`));
  const gets = await measureRate(64, durationMs, () => reader.call('GET', `${configMaps}/warm-0`));
  table.note('GET of one object, 64 connections', '/s', '≥ 8 ×', { higher: true, by, value: gets.perSecond });
  table.note('GET of one object, p99', 'ms', 'lower', { higher: false, by, value: gets.p99Ms });
  await fillList(many);
  // The first answers of this size measure how the client warms up.
  for (let round = 0; round < 10; round++) await one.call('GET', manyConfigMaps);
  const list = await medianOf(listRounds, () => timeOf(() => one.call('GET', manyConfigMaps)));
  table.note(`LIST of ${listObjects} objects`, 'ms', '≥ 6 ×', { higher: false, by, value: list });
  for (const client of [one, many, reader]) client.close();
}

/** What only an API server does. Comes after `measureObjects`. */
export async function measureSelectionAndPatches(
  { name: by, access }: Target,
  { table, durationMs }: { readonly table: FigureTable; readonly durationMs: number },
): Promise<void> {
  const one = new LoadClient(access, 1);
  const many = new LoadClient(access, 16);
  const byLabel = `${manyConfigMaps}?labelSelector=part%3D1`;
  const selected = await medianOf(listRounds, () => timeOf(() => one.call('GET', byLabel)));
  table.note(`LIST of ${listObjects / labelled} of them by label`, 'ms', '≥ 10 ×', {
    higher: false,
    by,
    value: selected,
  });
  const applied = await measureRate(16, durationMs, (index) =>
    many.call(
      'PATCH',
      `${configMaps}/apply-${index % 64}?fieldManager=bench&force=true`,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `apply-${index % 64}` },
        data: { turn: String(index) },
      }),
      'application/apply-patch+yaml',
    ),
  );
  table.note('server-side apply, 16 clients', '/s', '≥ 3 ×', { higher: true, by, value: applied.perSecond });
  const hot = await measureRate(16, durationMs, (index) =>
    many.call(
      'PATCH',
      `${configMaps}/warm-0`,
      JSON.stringify({ data: { turn: String(index) } }),
      'application/merge-patch+json',
    ),
  );
  table.note('merge patch of one hot object, 16 clients', '/s', '≥ 20 ×', { higher: true, by, value: hot.perSecond });
  for (const client of [one, many]) client.close();
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function fillList(client: LoadClient): Promise<void> {
  let index = 0;
  const worker = async (): Promise<void> => {
    while (index < listObjects)
      await client.call('POST', manyConfigMaps, configMap(`list-${index}`, { part: String(index++ % labelled) }));
  };
  await Promise.all(Array.from({ length: 100 }, worker));
}
