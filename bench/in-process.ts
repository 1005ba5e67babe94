/** The cluster inside a test: real time to a first Deployment, and a simulated day. Run as a process of its own. */
import { Deployment } from '#kinds/generated/handles.ts';
import { startSimulatedCluster } from '#testing/simulated-cluster.ts';

const namespace = 'default';
const labels = { app: 'web' };

function deployment(replicas: number) {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } };
  return { metadata: { name: 'web', namespace }, spec: { replicas, selector: { matchLabels: labels }, template } };
}

async function firstDeploymentMs(): Promise<number> {
  const started = performance.now();
  const cluster = await startSimulatedCluster();
  await cluster.client.create(Deployment, deployment(1));
  await cluster.until(
    async () => (await cluster.client.get(Deployment, { name: 'web', namespace })).status?.readyReplicas === 1,
  );
  const elapsedMs = performance.now() - started;
  await cluster.stop();
  return elapsedMs;
}

/** A day of 100 nodes with a rolling update of a Deployment every hour, in seconds of real time. */
async function simulatedDaySeconds(): Promise<number> {
  const cluster = await startSimulatedCluster({ nodes: 100 });
  await cluster.client.create(Deployment, deployment(100));
  await cluster.until(
    async () => (await cluster.client.get(Deployment, { name: 'web', namespace })).status?.readyReplicas === 100,
  );
  const started = performance.now();
  for (let hour = 0; hour < 24; hour++) {
    const body = { spec: { template: { metadata: { annotations: { hour: String(hour) } } } } };
    await cluster.client.patch(Deployment, { name: 'web', namespace }, { type: 'merge', body });
    await cluster.clock.advance(3600_000);
  }
  const elapsed = (performance.now() - started) / 1000;
  await cluster.stop();
  return elapsed;
}

const first: number[] = [];
for (let round = 0; round < 5; round++) first.push(await firstDeploymentMs());
process.stdout.write(
  `${JSON.stringify({ firstDeploymentMs: first.sort((left, right) => left - right)[2], coldDeploymentMs: first.at(-1), simulatedDaySeconds: await simulatedDaySeconds() })}\n`,
);
