import { readFile, writeFile } from 'node:fs/promises';
import { runCommand } from '#system/run-command.ts';

/** Marks what is ours among the rules of others. */
const comment = 'proa';

export interface HostNetwork {
  readonly podRanges: readonly string[];
  readonly serviceRanges: readonly string[];
  /** The address that the machine uses towards its pods when it has no better one. */
  readonly nodeAddress: string;
  /** Addresses that this machine answers itself, bound on its loopback device. */
  readonly ownAddresses: readonly string[];
}

/**
 * Lets the machine forward between pods and the rest. What it changes: `ip_forward`; addresses of ours on `lo`; a route
 * for the service ranges where there is no default route (a machine without uplink could else not even ask for a
 * service); and, where another program has set the FORWARD chain to drop (Docker does), an accept for pods.
 */
export async function prepareHost(network: HostNetwork, signal: AbortSignal): Promise<void> {
  const forwarding = '/proc/sys/net/ipv4/ip_forward';
  if ((await readFile(forwarding, 'utf8')).trim() !== '1') await writeFile(forwarding, '1');
  for (const address of network.ownAddresses) {
    await runCommand('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo'], signal);
  }
  for (const range of network.serviceRanges) {
    if (await hasRoute(range.split('/')[0]!, signal)) continue;
    await runCommand('ip', ['route', 'replace', range, 'dev', 'lo', 'src', network.nodeAddress], signal);
  }
  if (await forwardDrops(signal)) {
    for (const rule of forwardRules(network.podRanges)) {
      await iptables(['-C', 'FORWARD', ...rule], signal).catch(() => iptables(['-I', 'FORWARD', ...rule], signal));
    }
  }
}

/** Takes back what `prepareHost` added, but for `ip_forward`, which others may have come to rely on. */
export async function restoreHost(network: HostNetwork, signal: AbortSignal): Promise<void> {
  const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {});
  for (const address of network.ownAddresses) {
    await quietly(runCommand('ip', ['address', 'delete', `${address}/32`, 'dev', 'lo'], signal));
  }
  for (const range of network.serviceRanges) {
    await quietly(runCommand('ip', ['route', 'delete', range, 'dev', 'lo'], signal));
  }
  for (const rule of forwardRules(network.podRanges)) await quietly(iptables(['-D', 'FORWARD', ...rule], signal));
}

async function hasRoute(address: string, signal: AbortSignal): Promise<boolean> {
  return runCommand('ip', ['route', 'get', address], signal).then(
    () => true,
    () => false,
  );
}

/** nftables has no way to overrule another table's drop, so the accept has to stand where the drop does. */
async function forwardDrops(signal: AbortSignal): Promise<boolean> {
  return iptables(['-S', 'FORWARD'], signal).then(
    (text) => text.startsWith('-P FORWARD DROP'),
    () => false,
  );
}

function forwardRules(podRanges: readonly string[]): readonly (readonly string[])[] {
  const mark = ['-m', 'comment', '--comment', comment, '-j', 'ACCEPT'];
  return podRanges.flatMap((range) => [
    ['-s', range, ...mark],
    ['-d', range, ...mark],
  ]);
}

function iptables(args: readonly string[], signal: AbortSignal): Promise<string> {
  return runCommand('iptables', ['-w', '5', ...args], signal);
}
