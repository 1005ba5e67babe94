/** Measures and prints: see README.md. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isRoot } from '#testing/machine.ts';
import { measureObjects, measureSelectionAndPatches } from './api.ts';
import { buildBareServer } from './bare.ts';
import { measureGrowth } from './growth.ts';
import { measureLargeStore } from './large-store.ts';
import { LoadClient, medianOf } from './load.ts';
import { drawGrowth, growthTable } from './plot.ts';
import { measureForms } from './protobuf.ts';
import { measureRealNode } from './real-node.ts';
import { measureFirstStart, measureWarmStart } from './starts.ts';
import { FigureTable } from './table.ts';
import { cpuSeconds, residentMegabytes, startPeer, startProa, type Target } from './target.ts';
import { measureWatchers } from './watchers.ts';

const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    json: { type: 'string' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
    limit: { type: 'string', default: '100000' },
  },
});
/** What is measured: all but the growth, which takes minutes and writes into docs. */
const parts = [
  'starts',
  'in-process',
  'node',
  'api',
  'forms',
  'watchers',
  'deployment',
  'bare',
  'large',
  'growth',
] as const;
type Part = (typeof parts)[number];
const wanted = new Set<string>(values.only?.split(',') ?? parts.filter((part) => part !== 'growth'));
const isWanted = (part: Part): boolean => wanted.has(part);
const limit = Number(values.limit);
const durationMs = Number(values.seconds) * 1000;
const idleSeconds = 20;
const podCount = 2_000;
const nodeCount = 100;

const table = new FigureTable();

async function measureDeployment({ name: by, access, pids }: Target): Promise<void> {
  const client = new LoadClient(access, 32);
  if (by !== 'Proa') await createFakeNodes(client);
  await until(client, '/api/v1/nodes', ({ items }) => items.length >= nodeCount && items.every(isReady));
  const labels = { app: 'many' };
  const container = { name: 'pause', image: 'pause', resources: { requests: { cpu: '10m', memory: '10Mi' } } };
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'many' },
    spec: {
      replicas: podCount,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
  const cpuBefore = cpuSeconds(pids());
  const started = performance.now();
  await client.call('POST', '/apis/apps/v1/namespaces/default/deployments', JSON.stringify(body));
  await until(
    client,
    '/apis/apps/v1/namespaces/default/deployments/many',
    ({ status }) => (status as { readyReplicas?: number } | undefined)?.readyReplicas === podCount,
  );
  const seconds = (performance.now() - started) / 1000;
  table.note(`Deployment of ${podCount} pods on ${nodeCount} simulated nodes`, 'pods/s', '≥ 4 ×', {
    higher: true,
    by,
    value: podCount / seconds,
  });
  table.note('processor time for it', 's', '', { higher: false, by, value: cpuSeconds(pids()) - cpuBefore });
  table.note('resident memory after it', 'MB', '≤ 300 MB', { higher: false, by, value: residentMegabytes(pids()) });
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const idleBefore = cpuSeconds(pids());
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
  table.note(`idle, ${nodeCount} nodes, ${podCount} pods`, '% of a core', '≤ 1 %', {
    higher: false,
    by,
    value: ((cpuSeconds(pids()) - idleBefore) / idleSeconds) * 100,
  });
  client.close();
}

interface Answer {
  readonly items: {
    readonly status?: { readonly conditions?: { readonly type: string; readonly status: string }[] };
  }[];
  readonly status?: object;
}

function isReady({ status }: Answer['items'][number]): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

async function until(client: LoadClient, path: string, condition: (answer: Answer) => boolean): Promise<void> {
  while (!condition(JSON.parse((await client.call('GET', path)).toString()) as Answer))
    await new Promise((resolve) => setTimeout(resolve, 20));
}

async function createFakeNodes(client: LoadClient): Promise<void> {
  const resources = { cpu: '32', memory: '256Gi', pods: '110' };
  for (let index = 0; index < nodeCount; index++) {
    const metadata = {
      name: `fake-${index}`,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': `fake-${index}` },
    };
    await client.call(
      'POST',
      '/api/v1/nodes',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Node',
        metadata,
        status: { allocatable: resources, capacity: resources },
      }),
    );
  }
}

async function measureApi(target: Target): Promise<void> {
  await measureObjects(target, { table, durationMs });
  await measureSelectionAndPatches(target, { table, durationMs });
}

/** What the same client gets from a server that does nothing else: see bare-server.ts. */
async function measureBare(): Promise<void> {
  const release = await buildBareServer();
  if (isWanted('starts')) {
    const readyMs = await medianOf(9, async () => {
      const target = await release.start();
      await target.stop();
      return target.readyMs;
    });
    table.note('spawn to /readyz, warm', 'ms', '≤ 150', { higher: false, by: 'bare', value: readyMs });
  }
  if (isWanted('api')) await measure(release.start, (target) => measureObjects(target, { table, durationMs }));
  if (isWanted('watchers')) await measure(release.start, measureWatching);
  release.remove();
}

async function measureStarts(): Promise<void> {
  const by = 'Proa';
  const firstMs = await measureFirstStart();
  table.note('spawn to /readyz, first start', 'ms', '≤ 1,000', { higher: false, by, value: firstMs });
  if (!isWanted('starts')) return;
  const warmMs = await measureWarmStart();
  table.note('spawn to /readyz, warm', 'ms', '≤ 150', { higher: false, by, value: warmMs });
}

function measureInProcess(): void {
  const run = spawnSync(process.execPath, [join(import.meta.dirname, 'in-process.ts')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { firstDeploymentMs, simulatedDaySeconds } = JSON.parse(run.stdout) as {
    firstDeploymentMs: number;
    simulatedDaySeconds: number;
  };
  table.note('in a test: first Deployment ready', 'ms', '≤ 100', {
    higher: false,
    by: 'Proa',
    value: firstDeploymentMs,
  });
  table.note('in a test: a day of 100 nodes', 's', '≤ 20', { higher: false, by: 'Proa', value: simulatedDaySeconds });
}

/** Without root there is no real node to measure. */
async function measureNode(): Promise<void> {
  if (!isRoot) return;
  const { nodeReadyMs, nameResolvedMs, podMs, runtimeMs } = await measureRealNode();
  const by = 'Proa';
  table.note('spawn to node Ready, with containerd', 'ms', '≤ 2,000', { higher: false, by, value: nodeReadyMs });
  table.note('spawn to a pod that resolved a service name', 'ms', '≤ 5,000', {
    higher: false,
    by,
    value: nameResolvedMs,
  });
  table.note('start of a pod', 'ms', '', { higher: false, by, value: podMs });
  table.note('of it, not containerd’s', 'ms', '≤ 100', { higher: false, by, value: podMs - runtimeMs });
}

async function measure(start: () => Promise<Target>, work: (target: Target) => Promise<void>): Promise<void> {
  const target = await start();
  try {
    await work(target);
  } finally {
    await target.stop();
  }
}

async function measureLarge(): Promise<void> {
  const pods = Math.min(limit, 100_000);
  const { writerMegabytes, readyMs, residentMegabytes: resident } = await measureLargeStore(pods);
  const by = 'Proa';
  table.note(`resident memory after creating ${pods} pods`, 'MB', '≤ 600', {
    higher: false,
    by,
    value: writerMegabytes,
  });
  table.note(`spawn to /readyz with ${pods} pods`, 'ms', '≤ 3,000', { higher: false, by, value: readyMs });
  table.note(`resident memory with ${pods} pods, after a restart`, 'MB', '≤ 600', {
    higher: false,
    by,
    value: resident,
  });
}

async function measureWatching({ name: by, access }: Target): Promise<void> {
  const load = { watchers: 1_000, perSecond: 1_000, seconds: 2 * Number(values.seconds) };
  // Once without being looked at, for what is not compiled yet.
  await measureWatchers(access, load);
  const { p50Ms, p99Ms, eventsPerSecond, delivered } = await measureWatchers(access, load);
  const what = '1,000 watchers of one resource at 1,000 events/s';
  table.note(`${what}: delay, p50`, 'ms', '', { higher: false, by, value: p50Ms });
  table.note(`${what}: delay, p99`, 'ms', '≤ 100', { higher: false, by, value: p99Ms });
  table.note(`${what}: writes that came about`, '/s', '', { higher: true, by, value: eventsPerSecond });
  table.note(`${what}: delivered`, '%', '', { higher: true, by, value: delivered * 100 });
}

async function measureBothForms(target: Target): Promise<void> {
  const figures = await measureForms(target, durationMs / 2);
  for (const form of ['json', 'protobuf'] as const) {
    const aim = form === 'json' ? '' : 'no slower than JSON';
    const say = (what: string, value: number): void =>
      table.note(`${what}, ${form}`, '/s', aim, { higher: true, by: target.name, value });
    say('creates of pods', figures[form].createsPerSecond);
    say('GET of a pod', figures[form].getsPerSecond);
    say('LIST of 500 pods', figures[form].listsPerSecond);
  }
}

async function measureAndDrawGrowth(): Promise<void> {
  const growth = await measureGrowth(durationMs / 4, limit);
  const docs = join(import.meta.dirname, '..', 'docs');
  writeFileSync(join(docs, 'growth.svg'), drawGrowth(growth));
  const text = [
    '# Cost against size',
    '',
    'Processor time of the server for one request while there is more and more that the request does not touch: ConfigMaps of another namespace,',
    'kinds that somebody defined, watchers of single Secrets. Drawn by `npm run bench -- --only growth`.',
    '',
    '![microseconds a request against the number of objects, kinds and watchers](growth.svg)',
    '',
    growthTable(growth),
    '',
  ];
  writeFileSync(join(docs, 'growth.md'), text.join('\n'));
}

const peer = values.peer;
/** The parts that one server after the other goes through. */
const measured: readonly (readonly [Part, (target: Target) => Promise<void>, readonly string[]])[] = [
  ['api', measureApi, ['--nodes', '0']],
  ['forms', measureBothForms, ['--nodes', '0']],
  ['watchers', measureWatching, ['--nodes', '0']],
  ['deployment', measureDeployment, ['--nodes', '0', '--simulated-nodes', String(nodeCount)]],
];
if (parts.some((part) => part !== 'in-process' && isWanted(part))) await measureStarts();
if (isWanted('in-process')) measureInProcess();
if (isWanted('node')) await measureNode();
for (const [part, work, args] of measured) if (isWanted(part)) await measure(() => startProa(args), work);
if (isWanted('bare')) await measureBare();
if (isWanted('large')) await measureLarge();
if (isWanted('growth')) await measureAndDrawGrowth();
if (peer !== undefined) {
  for (const [part, work] of measured) {
    if (!isWanted(part)) continue;
    await measure(async () => {
      const target = await startPeer(peer);
      table.note('spawn to /readyz, warm', 'ms', '≤ 150', { higher: false, by: 'official', value: target.readyMs });
      return target;
    }, work);
  }
}
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, ${process.platform}`;
process.stdout.write(`\nMeasured on ${machine} with \`npm run bench\`.\n\n${table.render()}\n`);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, rows: table.rows }, null, 2)}\n`);
