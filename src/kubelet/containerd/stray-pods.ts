import { readdir } from 'node:fs/promises';
import { runCommand } from '#system/run-command.ts';

interface Route {
  readonly dst: string;
  readonly dev: string;
}

interface Link {
  readonly ifname: string;
  readonly link_netnsid?: number;
}

interface NetworkNamespace {
  readonly name: string;
  readonly id?: number;
}

/**
 * Removes the networks of pods that no runtime knows any more. A node whose folders were deleted without `proa reset`
 * leaves its pods' interfaces behind, and with them routes: a new pod would be given the address of an old one, and its
 * packets would go to the old one's namespace.
 *
 * @param podCidr the node's pod addresses, for example `10.244.0.0/24`: nobody else's interfaces are touched
 * @param addressDir where host-local keeps which address is taken, a file per address; undefined when none is
 */
export async function removeStrayPods(
  podCidr: string,
  addressDir: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const routes = await ipJson<Route>(['route', 'show', 'root', podCidr], signal);
  if (routes.length === 0) return;
  const taken = new Set(addressDir === undefined ? [] : await readdir(addressDir).catch(() => []));
  const strays = new Set(routes.filter(({ dst }) => !taken.has(dst)).map(({ dev }) => dev));
  const links = (await ipJson<Link>(['link', 'show', 'type', 'veth'], signal)).filter(({ ifname }) =>
    strays.has(ifname),
  );
  const namespaces = await ipJson<NetworkNamespace>(['netns', 'list'], signal);
  for (const { ifname, link_netnsid } of links) {
    // containerd's CRI names the namespaces that it makes; any other is not ours to remove.
    const left = namespaces.find(({ id, name }) => id !== undefined && id === link_netnsid && name.startsWith('cni-'));
    if (left === undefined || (await hasProcesses(left, signal))) continue;
    await runCommand('ip', ['link', 'delete', ifname], signal);
    await runCommand('ip', ['netns', 'delete', left.name], signal);
  }
}

/** Then it is a pod of another cluster that was given the same addresses, and no stray. */
async function hasProcesses({ name }: NetworkNamespace, signal: AbortSignal): Promise<boolean> {
  return (await runCommand('ip', ['netns', 'pids', name], signal)).trim() !== '';
}

async function ipJson<T>(args: readonly string[], signal: AbortSignal): Promise<readonly T[]> {
  const text = await runCommand('ip', ['-json', ...args], signal);
  return text.trim() === '' ? [] : JSON.parse(text);
}
