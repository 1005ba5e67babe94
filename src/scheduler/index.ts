import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import { createInformers } from '#client/informers.ts';
import { defaultPlugins } from './plugins/index.ts';
import { Scheduler } from './scheduler.ts';

/** Pods that name no other scheduler get this one by default. */
const defaultSchedulerName = 'default-scheduler';

/** Runs the scheduler as `system:kube-scheduler` until the signal aborts; resolves when its writes have ended. */
export async function startScheduler(
  options: { readonly client: Client; readonly environment: Environment },
  signal: AbortSignal,
): Promise<void> {
  const { environment } = options;
  const client = options.client.as({ user: 'system:kube-scheduler', groups: ['system:authenticated'] });
  const informers = createInformers({ client, environment });
  const schedulerName = defaultSchedulerName;
  const scheduler = new Scheduler({ client, environment, informers, plugins: defaultPlugins, schedulerName }, signal);
  await Promise.all([informers.run(signal), scheduler.run(informers)]);
}
