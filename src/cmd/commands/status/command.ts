import { systemClock } from '#base/clock.ts';
import { createHttpClient } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { Node, Pod } from '#kinds/generated/handles.ts';
import { formatAge } from '#machinery/time.ts';
import { readRunning } from '../../data-folder.ts';
import { dataDirOf } from '../../machine-names.ts';
import type { Command } from '../command.ts';

const help = `Say whether a cluster is running and how it is.

Usage: proa status [--data-dir FOLDER]
Exits with 0 when it runs and 3 when it does not.
`;

export const status: Command = {
  name: 'status',
  help,
  options: { 'data-dir': { type: 'string' } },
  async run(values) {
    const running = readRunning(dataDirOf(values));
    if (running === undefined) {
      process.stdout.write('no cluster is running\n');
      return 3;
    }
    const clock = systemClock();
    const { client: options } = loadKubeconfig({ path: running.kubeconfig, context: 'proa' });
    const client = createHttpClient(options);
    const [nodes, pods] = await Promise.all([client.list(Node), client.list(Pod)]);
    const ready = nodes.items.filter(({ status: { conditions = [] } = {} }) =>
      conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    );
    const up = pods.items.filter(({ status: { phase } = {} }) => phase === 'Running');
    const lines = [
      `running     for ${formatAge(clock.now() - Date.parse(running.startedAt))}, process ${running.pid}`,
      `API server  https://127.0.0.1:${running.port}`,
      `kubeconfig  ${running.kubeconfig} (context proa)`,
      `nodes       ${ready.length} of ${nodes.items.length} ready`,
      `pods        ${up.length} of ${pods.items.length} running`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  },
};
