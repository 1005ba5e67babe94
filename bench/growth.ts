import { connect } from 'node:http2';
import { LoadClient, measureRate } from './load.ts';
import { cpuSeconds, startProa, type Target } from './target.ts';

/** What grows while the requests stay the same. */
export type Grown = 'objects' | 'kinds' | 'watchers';

export const requests = ['GET', 'create', 'LIST of 100 by label'] as const;
export type Request = (typeof requests)[number];

/** Processor time of the server for one request, in microseconds, with so many things there that it does not touch. */
export interface GrowthPoint {
  readonly count: number;
  readonly cost: Readonly<Record<Request, number>>;
}

/** Further than this nobody comes on one machine: a kind takes milliseconds, a watcher a stream of a connection. */
const steps: Readonly<Record<Grown, readonly number[]>> = {
  objects: [1_000, 3_000, 10_000, 30_000, 100_000],
  kinds: [100, 300, 1_000],
  watchers: [1_000, 3_000, 10_000],
};
const writers = 64;
/** A new server compiles what it does often; that is not what is measured. */
const warmUps = 2;
const listed = 100;
const own = '/api/v1/namespaces/default/configmaps';
const others = '/api/v1/namespaces/kube-public/configmaps';
const watchedSecrets = '/api/v1/namespaces/kube-public/secrets';
/** Streams that a client opens on one connection. */
const streamsPerConnection = 100;

/** Grows one thing after the other, each on a server of its own. */
export async function measureGrowth(
  durationMs: number,
  limit: number,
): Promise<Readonly<Record<Grown, readonly GrowthPoint[]>>> {
  const measure = async (what: Grown): Promise<readonly GrowthPoint[]> => {
    const target = await startProa(['--nodes', '0']);
    try {
      return await measureOne(target, { what, durationMs, limit });
    } finally {
      await target.stop();
    }
  };
  return { objects: await measure('objects'), kinds: await measure('kinds'), watchers: await measure('watchers') };
}

async function measureOne(
  target: Target,
  { what, durationMs, limit }: { readonly what: Grown; readonly durationMs: number; readonly limit: number },
): Promise<readonly GrowthPoint[]> {
  const client = new LoadClient(target.access, writers);
  const grow = growing(what, target, client);
  const points: GrowthPoint[] = [];
  let created = 0;
  for (let index = 0; index < listed; index++)
    await client.call('POST', own, configMap(`own-${index}`, { part: 'own' }));
  const work: Readonly<Record<Request, () => Promise<unknown>>> = {
    GET: () => client.call('GET', `${own}/own-0`),
    create: () => client.call('POST', own, configMap(`new-${created++}`)),
    'LIST of 100 by label': () => client.call('GET', `${own}?labelSelector=part%3Down`),
  };
  const cost = async (request: Request): Promise<number> => {
    // What was grown has to be digested, and code warmed up.
    await measureRate(8, durationMs / 2, work[request]);
    const before = cpuSeconds(target.pids());
    const { perSecond } = await measureRate(8, durationMs, work[request]);
    return ((cpuSeconds(target.pids()) - before) / ((perSecond * durationMs) / 1000)) * 1e6;
  };
  for (const request of requests) await measureRate(8, durationMs * warmUps, work[request]);
  let grown = 0;
  for (const count of steps[what].filter((step) => step <= limit)) {
    await grow.to(grown, count);
    grown = count;
    const figures = { GET: await cost('GET'), create: await cost('create') };
    // What was created meanwhile would be looked at by the list.
    await client.call('DELETE', `${own}?labelSelector=part%21%3Down`);
    points.push({ count, cost: { ...figures, 'LIST of 100 by label': await cost('LIST of 100 by label') } });
    process.stderr.write(`${count} ${what}: ${JSON.stringify(points.at(-1)!.cost)}\n`);
  }
  grow.end();
  client.close();
  return points;
}

interface Growing {
  to(from: number, count: number): Promise<void>;
  end(): void;
}

function growing(what: Grown, { access }: Target, client: LoadClient): Growing {
  const each = async (from: number, count: number, work: (index: number) => Promise<unknown>): Promise<void> => {
    let next = from;
    const worker = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: writers }, worker));
  };
  if (what === 'objects')
    return {
      to: (from, count) => each(from, count, (index) => client.call('POST', others, configMap(`other-${index}`))),
      end() {},
    };
  if (what === 'kinds')
    return {
      to: (from, count) => each(from, count, (index) => client.call('POST', definitions, definition(index))),
      end() {},
    };
  const connections: ReturnType<typeof connect>[] = [];
  return {
    async to(from, count) {
      for (let index = from; index < count; index++) {
        if (index % streamsPerConnection === 0) {
          const { host, port, ca, cert, key } = access;
          const connection = connect(`https://${host}:${port}`, { ca, cert, key });
          connection.on('error', () => {});
          connections.push(connection);
        }
        const path = `${watchedSecrets}?watch=true&fieldSelector=metadata.name%3Dsecret-${index}`;
        const stream = connections.at(-1)!.request({ ':path': path });
        stream.on('error', () => {});
        stream.resume();
        if (index % streamsPerConnection === streamsPerConnection - 1)
          await new Promise((resolve) => stream.once('response', resolve));
      }
    },
    end() {
      for (const connection of connections) connection.destroy();
    },
  };
}

function configMap(name: string, labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { key: 'value' } });
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

function definition(index: number): string {
  const [plural, group] = [`things${index}`, 'growth.example.com'];
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind: `Thing${index}` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
}
