import type { JsonObject } from '#machinery/meta.ts';
import { booleanFlag, textFlag } from '../../flags.ts';
import { formatColumns } from '../../output/table.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import { defineVerb } from '../../verb.ts';
import { byUsage, cpuText, memoryText, percentText, requireMetrics, sumOf, type Usage } from './metrics.ts';

interface NodeMetrics {
  readonly metadata: { readonly name: string };
  readonly usage: Usage;
}

interface NodeLike {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly capacity?: Readonly<Record<string, string>>;
  };
}

export const topNode = defineVerb({
  name: 'node',
  aliases: ['nodes', 'no'],
  summary: 'Display resource (CPU/memory) usage of nodes',
  usage: '[NAME | -l label]',
  flags: {
    'no-headers': booleanFlag('If present, print output without headers'),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
    'show-capacity': booleanFlag(
      'Print node resources based on Capacity instead of Allocatable(default) of the nodes.',
    ),
    'sort-by': textFlag(
      "If non-empty, sort nodes list using specified field. The field can be either 'cpu' or 'memory'.",
    ),
    'use-protocol-buffers': booleanFlag('Enables using protocol-buffers to access Metrics API.', { initial: true }),
  },
  async run(context, flags, [name]) {
    await requireMetrics(context);
    const mapper = await context.mapper();
    const labelSelector = flags.selector;
    const query = { name, labelSelector };
    const metrics = (await fetchObjects(context, {
      info: mapper.resource('nodes.metrics.k8s.io'),
      ...query,
    })) as unknown as readonly NodeMetrics[];
    const nodes = new Map(
      ((await fetchObjects(context, { info: mapper.resource('nodes'), ...query })) as readonly JsonObject[]).map(
        (object) => {
          const node = object as unknown as NodeLike;
          return [
            node.metadata.name,
            (flags['show-capacity'] ? node.status?.capacity : node.status?.allocatable) ?? {},
          ] as const;
        },
      ),
    );
    const rows = byUsage(
      metrics.map(({ metadata, usage }) => ({ name: metadata.name, total: sumOf([usage]) })),
      flags['sort-by'],
    );
    const header = flags['no-headers'] ? [] : [['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)']];
    const cells = rows.map((row) => {
      const whole = nodes.get(row.name);
      return [
        row.name,
        cpuText(row.total),
        percentText(row.total.cpu, whole?.['cpu']),
        memoryText(row.total),
        percentText(row.total.memory, whole?.['memory']),
      ];
    });
    context.out(formatColumns([...header, ...cells]));
    return 0;
  },
});
