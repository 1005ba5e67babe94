import { systemClock } from '#base/clock.ts';
import { createHttpClient } from '#client/http/client.ts';
import { Node, Pod } from '#kinds/generated/handles.ts';
import { formatAge } from '#machinery/time.ts';
import { readRunning } from '../../data-folder.ts';
import { ownAccess } from '../../kubeconfig.ts';
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
    const dataDir = dataDirOf(values);
    const running = readRunning(dataDir);
    if (running === undefined) {
      process.stdout.write('no cluster is running\n');
      return 3;
    }
    const clock = systemClock();
    const { server, certificateAuthority, admin } = ownAccess(dataDir, running);
    const client = createHttpClient({
      server,
      ca: certificateAuthority,
      certificate: admin.certificate,
      key: admin.key,
    });
    const [nodes, pods] = await Promise.all([client.list(Node), client.list(Pod)]);
    const ready = nodes.items.filter(({ status: { conditions = [] } = {} }) =>
      conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    );
    const up = pods.items.filter(({ status: { phase } = {} }) => phase === 'Running');
    const lines = [
      `running     for ${formatAge(clock.now() - Date.parse(running.startedAt))}, process ${running.pid}`,
      `API server  ${server}`,
      `kubeconfig  ${running.kubeconfig} (context proa)`,
      `nodes       ${ready.length} of ${nodes.items.length} ready`,
      `pods        ${up.length} of ${pods.items.length} running`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  },
};
