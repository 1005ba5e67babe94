import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where distributions put the CNI plugins: Debian, then the upstream convention. */
const pluginDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'] as const;

/** The folder that holds the plugins in use. Throws when there is none. */
export async function findCniPlugins(): Promise<string> {
  for (const directory of pluginDirectories) {
    const found = await Promise.all(['ptp', 'host-local', 'portmap'].map((name) => exists(join(directory, name))));
    if (found.every(Boolean)) return directory;
  }
  throw new Error('no CNI plugins found (ptp, host-local, portmap): install containernetworking-plugins');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** host-local keeps the addresses in a folder of this name. */
export const cniNetworkName = 'proa';

export interface CniOptions {
  /** The folder that containerd reads. */
  readonly configDir: string;
  /** Where host-local keeps which address is taken; best where a reboot empties it, since a reboot ends all pods. */
  readonly addressDir: string;
  /** The node's pod addresses, for example `10.244.0.0/24`. */
  readonly podCidr: string;
}

/**
 * Writes the pod network: a veth pair per pod with the host as its router (so that service rules and policies on the
 * forward path see every packet, also between pods of one node), addresses from the node's range, and host ports.
 * Leaving the node's range is masqueraded by the service rules.
 */
export async function writeCniConfig(options: CniOptions): Promise<void> {
  await mkdir(options.configDir, { recursive: true });
  const config = {
    cniVersion: '0.4.0',
    name: cniNetworkName,
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: options.addressDir,
          ranges: [[{ subnet: options.podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
  const path = join(options.configDir, '10-proa.conflist');
  const text = `${JSON.stringify(config, null, 2)}\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  // containerd watches the folder and must not see half a file.
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
