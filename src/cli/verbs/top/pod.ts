import { booleanFlag, textFlag } from '../../flags.ts';
import { formatColumns } from '../../output/table.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import { defineVerb } from '../../verb.ts';
import { byUsage, cpuText, memoryText, requireMetrics, sumOf, swapText, type Total, type Usage } from './metrics.ts';

interface PodMetrics {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[];
}

export const topPod = defineVerb({
  name: 'pod',
  aliases: ['pods', 'po'],
  summary: 'Display resource (CPU/memory) usage of pods',
  usage: '[NAME | -l label]',
  flags: {
    'all-namespaces': booleanFlag('If present, list the requested object(s) across all namespaces.', { short: 'A' }),
    containers: booleanFlag('If present, print usage of containers within a pod.'),
    'field-selector': textFlag('Selector (field query) to filter on.'),
    'no-headers': booleanFlag('If present, print output without headers.'),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
    'show-swap': booleanFlag('Print pod resources related to swap memory.'),
    'sort-by': textFlag(
      "If non-empty, sort pods list using specified field. The field can be either 'cpu' or 'memory'.",
    ),
    sum: booleanFlag('Print the sum of the resource usage'),
    'use-protocol-buffers': booleanFlag('Enables using protocol-buffers to access Metrics API.', { initial: true }),
  },
  async run(context, flags, [name]) {
    await requireMetrics(context);
    const mapper = await context.mapper();
    const metrics = (await fetchObjects(context, {
      info: mapper.resource('pods.metrics.k8s.io'),
      name,
      namespace: flags['all-namespaces'] ? undefined : context.namespace(),
      labelSelector: flags.selector,
      fieldSelector: flags['field-selector'],
    })) as unknown as readonly PodMetrics[];
    const rows = metrics.flatMap(({ metadata, containers }) =>
      flags.containers
        ? containers.map((container) => ({
            name: metadata.name,
            cells: [metadata.name, container.name],
            namespace: metadata.namespace,
            total: sumOf([container.usage]),
          }))
        : [
            {
              name: metadata.name,
              cells: [metadata.name],
              namespace: metadata.namespace,
              total: sumOf(containers.map(({ usage }) => usage)),
            },
          ],
    );
    const prefix = (namespace: string): readonly string[] => (flags['all-namespaces'] ? [namespace] : []);
    const names = flags.containers ? ['POD', 'NAME'] : ['NAME'];
    const columns = [...prefix('NAMESPACE'), ...names, 'CPU(cores)', 'MEMORY(bytes)'];
    const values = (total: Total): readonly string[] => [
      cpuText(total),
      memoryText(total),
      ...(flags['show-swap'] ? [swapText(total)] : []),
    ];
    const header = flags['no-headers'] ? [] : [[...columns, ...(flags['show-swap'] ? ['SWAP(bytes)'] : [])]];
    const cells = byUsage(rows, flags['sort-by']).map((row) => [
      ...prefix(row.namespace),
      ...row.cells,
      ...values(row.total),
    ]);
    const blank = columns.slice(2).map(() => '');
    const total = sumOf(metrics.flatMap(({ containers }) => containers.map(({ usage }) => usage)));
    const sum =
      flags.sum && metrics.length > 0
        ? [
            [...blank, '________', '________'],
            [...blank, ...values(total)],
          ]
        : [];
    context.out(formatColumns([...header, ...cells, ...sum]));
    return 0;
  },
});
