import type { JsonObject } from '#machinery/meta.ts';
import { booleanFlag, textFlag } from '../../flags.ts';
import { formatColumns } from '../../output/table.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import { defineVerb } from '../../verb.ts';
import {
  byUsage,
  cpuText,
  memoryText,
  percentText,
  requireMetrics,
  sumOf,
  swapText,
  type Total,
  type Usage,
} from './metrics.ts';

interface NodeMetrics {
  readonly metadata: { readonly name: string };
  readonly usage: Usage;
}

interface NodeLike {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly capacity?: Readonly<Record<string, string>>;
    readonly nodeInfo?: { readonly swap?: { readonly capacity?: number | bigint } };
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
    'show-swap': booleanFlag('Print node resources related to swap memory.'),
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
          const { metadata, status } = object as unknown as NodeLike;
          const whole = (flags['show-capacity'] ? status?.capacity : status?.allocatable) ?? {};
          const swap = status?.nodeInfo?.swap?.capacity;
          return [metadata.name, swap === undefined ? whole : { ...whole, swap: String(swap) }] as const;
        },
      ),
    );
    const rows = byUsage(
      metrics.map(({ metadata, usage }) => ({ name: metadata.name, total: sumOf([usage]) })),
      flags['sort-by'],
    );
    const shown = flags['show-swap'];
    const names = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'];
    const header = flags['no-headers'] ? [] : [[...names, ...(shown ? ['SWAP(bytes)', 'SWAP(%)'] : [])]];
    const cells = rows.map((row) => {
      const whole = nodes.get(row.name);
      return [
        row.name,
        cpuText(row.total),
        percentText(row.total.cpu, whole?.['cpu']),
        memoryText(row.total),
        percentText(row.total.memory, whole?.['memory']),
        ...(shown ? swapCells(row.total, whole?.['swap']) : []),
      ];
    });
    context.out(formatColumns([...header, ...cells]));
    return 0;
  },
});

/** A node that does not tell of its swap has none that a share could be of. */
const swapCells = (total: Total, capacity: string | undefined): readonly string[] => {
  if (capacity === undefined) return ['<unknown>', '<unknown>'];
  return [swapText(total), capacity === '0' ? '0%' : percentText(total.swap, capacity)];
};
