import { BlockList, isIP } from 'node:net';

const networks = {
  ipv4: [
    ['0.0.0.0', 32],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['224.0.0.0', 4],
    ['255.255.255.255', 32],
  ],
  ipv6: [
    ['::', 128],
    ['::1', 128],
    ['fe80::', 10],
    ['ff00::', 8],
  ],
} as const;

let special: BlockList | undefined;

/** Made when it is first asked for: a snapshot of the loaded program cannot hold it. */
function specialAddresses(): BlockList {
  if (special !== undefined) return special;
  special = new BlockList();
  for (const family of ['ipv4', 'ipv6'] as const)
    for (const [network, length] of networks[family]) special.addSubnet(network, length, family);
  return special;
}

/**
 * Whether a proxy may go to an address: whoever may write a pod's status could send the server to what listens on its own
 * loopback, or to a cloud's metadata. As upstream, only addresses that Go calls global unicast are allowed.
 */
export function isAllowedAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !specialAddresses().check(address, family === 4 ? 'ipv4' : 'ipv6');
}
