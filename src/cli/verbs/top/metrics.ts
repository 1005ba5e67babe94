import { addQuantities, parseQuantity, type Quantity, zero } from '#machinery/quantity.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';

/** Usage of a container or a node, as metrics.k8s.io/v1beta1 has it. */
export interface Usage {
  readonly cpu: string;
  readonly memory: string;
  readonly swap?: string;
}

/** Throws CliError when nobody serves the metrics API. */
export async function requireMetrics(context: CommandContext): Promise<void> {
  const mapper = await context.mapper();
  if (!mapper.all.some(({ group }) => group === 'metrics.k8s.io')) throw new CliError('Metrics API not available');
}

export interface Total {
  readonly cpu: Quantity;
  readonly memory: Quantity;
  readonly swap: Quantity;
}

export function sumOf(usages: readonly Usage[]): Total {
  return usages.reduce<Total>(
    (sum, { cpu, memory, swap = '0' }) => ({
      cpu: addQuantities(sum.cpu, parseQuantity(cpu)),
      memory: addQuantities(sum.memory, parseQuantity(memory)),
      swap: addQuantities(sum.swap, parseQuantity(swap)),
    }),
    { cpu: zero, memory: zero, swap: zero },
  );
}

const billion = 1_000_000_000n;

/** `250m`. */
export const cpuText = ({ cpu }: Total): string => `${(cpu.nanos + 999_999n) / 1_000_000n}m`;
/** `128Mi`. */
export const memoryText = ({ memory }: Pick<Total, 'memory'>): string =>
  `${memory.nanos / billion / (1024n * 1024n)}Mi`;
export const swapText = ({ swap }: Total): string => memoryText({ memory: swap });

export function percentText(part: Quantity, whole: string | undefined): string {
  const { nanos } = whole === undefined ? zero : parseQuantity(whole);
  return nanos === 0n ? '<unknown>' : `${(part.nanos * 100n) / nanos}%`;
}

/** Orders by a column, biggest first; by name without one. */
export function byUsage<Row extends { readonly name: string; readonly total: Total }>(
  rows: readonly Row[],
  sortBy: string | undefined,
): readonly Row[] {
  if (sortBy !== undefined && sortBy !== '' && sortBy !== 'cpu' && sortBy !== 'memory') {
    throw new CliError('--sort-by accepts only cpu or memory');
  }
  const key = (row: Row): bigint => (sortBy === 'cpu' ? row.total.cpu.nanos : row.total.memory.nanos);
  return [...rows].sort((a, b) => {
    if (sortBy === 'cpu' || sortBy === 'memory') return key(a) < key(b) ? 1 : key(a) > key(b) ? -1 : 0;
    return a.name < b.name ? -1 : 1;
  });
}
