import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '#system/run-command.ts';
import { type ElementChanges, renderChanges } from './element-table.ts';
import { dataMaps, type PickChain, pickChainName, renderPickChain, renderTable, type TableOptions } from './rules.ts';

/** The kernel's side: one nftables table and the conntrack table. */
export class ServiceKernel {
  readonly #options: TableOptions;
  readonly #version: string;
  readonly #chains = new Set<string>();

  constructor(options: TableOptions) {
    this.#options = options;
    // A chain by this name marks a table that this very code and configuration made.
    this.#version = `version_${createHash('sha256').update(renderTable(options, '')).digest('hex').slice(0, 16)}`;
  }

  /** Whether the table is there as it should be: another program may have flushed the rule set. */
  async isIntact(signal: AbortSignal): Promise<boolean> {
    return (await this.#chainNames(signal)).includes(this.#version);
  }

  /**
   * Brings the whole table to this state in one transaction, so that no packet meets half of it. A table that an
   * earlier run left keeps its memory of clients with affinity.
   */
  async replace(changes: ElementChanges, chains: Iterable<PickChain>, signal: AbortSignal): Promise<void> {
    const { table } = this.#options;
    let text = '';
    const existing = await this.#chainNames(signal);
    if (existing.includes(this.#version)) {
      for (const [name, type] of Object.entries(dataMaps))
        text += `flush ${type.includes(' : ') ? 'map' : 'set'} ip ${table} ${name}\n`;
      for (const name of existing) this.#chains.add(name);
    } else {
      text = renderTable(this.#options, this.#version);
      this.#chains.clear();
    }
    await this.#run(text, changes, chains, signal);
  }

  /** Applies a difference. Throws when the table is not as expected; `replace` is the cure. */
  async change(changes: ElementChanges, chains: Iterable<PickChain>, signal: AbortSignal): Promise<void> {
    await this.#run('', changes, chains, signal);
  }

  /** Forgets which of its endpoints these clients were sent to: numbers that no endpoint has any more. */
  async forgetAffinity(stale: (entry: AffinityEntry) => boolean, signal: AbortSignal): Promise<void> {
    const { table } = this.#options;
    const entries = parseAffinity(await runCommand('nft', ['-j', 'list', 'map', 'ip', table, 'affinity'], signal));
    const keys = entries
      .filter(stale)
      .map(({ client, address, protocol, port }) => `${client} . ${address} . ${protocol} . ${port}`);
    if (keys.length > 0) await this.#apply(`delete element ip ${table} affinity { ${keys.join(', ')} }\n`, signal);
  }

  async #run(text: string, changes: ElementChanges, chains: Iterable<PickChain>, signal: AbortSignal): Promise<void> {
    const { table } = this.#options;
    const missing = new Map<string, PickChain>();
    for (const chain of chains) {
      const name = pickChainName(chain);
      if (!this.#chains.has(name)) missing.set(name, chain);
    }
    const definitions = [...missing.values()].map((chain) => renderPickChain(table, chain)).join('');
    const batch = text + definitions + renderChanges(table, changes);
    if (batch !== '') await this.#apply(batch, signal);
    for (const name of missing.keys()) this.#chains.add(name);
  }

  /** Listing all chains is quick; listing one makes nft read every element of the table. */
  async #chainNames(signal: AbortSignal): Promise<readonly string[]> {
    const text = await runCommand('nft', ['-j', 'list', 'chains', 'ip'], signal);
    const { nftables } = JSON.parse(text) as { readonly nftables: readonly ListedChain[] };
    return nftables.flatMap(({ chain }) => (chain?.table === this.#options.table ? [chain.name] : []));
  }

  async #apply(text: string, signal: AbortSignal): Promise<void> {
    // Node's pipes are sockets, which nft cannot open as a file.
    const directory = await mkdtemp(join(tmpdir(), 'proa-nft-'));
    try {
      const path = join(directory, 'batch.nft');
      await writeFile(path, text);
      await runCommand('nft', ['-f', path], signal);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

interface ListedChain {
  readonly chain?: { readonly table: string; readonly name: string };
}

export interface AffinityEntry {
  readonly client: string;
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
  /** The number of the endpoint, with the bits of its pool. */
  readonly mark: number;
}

function parseAffinity(text: string): readonly AffinityEntry[] {
  type Key = { readonly concat: readonly [string, string, string, number] };
  type Element = readonly [Key | { readonly elem: { readonly val: Key } }, number];
  const { nftables } = JSON.parse(text) as {
    readonly nftables: readonly { readonly map?: { readonly elem?: readonly Element[] } }[];
  };
  return nftables
    .flatMap(({ map }) => map?.elem ?? [])
    .map(([left, mark]) => {
      const [client, address, protocol, port] = ('elem' in left ? left.elem.val : left).concat;
      return { client, address, protocol, port, mark };
    });
}

/** Removes everything that routing services ever put into the kernel. */
export async function removeServiceTable(table: string, signal: AbortSignal): Promise<void> {
  const text = `table ip ${table}`;
  const tables = await runCommand('nft', ['list', 'tables', 'ip'], signal);
  if (tables.split('\n').includes(text)) await runCommand('nft', ['delete', 'table', 'ip', table], signal);
}

/**
 * Forgets UDP flows to a service: all of them, or those that were sent to one endpoint. conntrack would keep on sending
 * a client that talks without a pause to where it was first sent.
 */
export async function forgetUdpFlows(
  flow: { readonly address: string | undefined; readonly port: number; readonly endpoint: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const args = ['-D', '-f', 'ipv4', '-p', 'udp', '--orig-port-dst', String(flow.port)];
  if (flow.address !== undefined) args.push('--orig-dst', flow.address);
  if (flow.endpoint !== undefined) args.push('--reply-src', flow.endpoint);
  try {
    await runCommand('conntrack', args, signal);
  } catch (error) {
    // That is how conntrack says that there was none.
    if (!(error instanceof Error && error.message.includes('0 flow entries'))) throw error;
  }
}
