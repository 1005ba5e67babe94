import { BlockList, isIP } from 'node:net';

const special = new BlockList();
for (const [network, length] of [
  ['0.0.0.0', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const)
  special.addSubnet(network, length, 'ipv4');
for (const [network, length] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  special.addSubnet(network, length, 'ipv6');

/**
 * Whether a proxy may go to an address: whoever may write a pod's status could send the server to what listens on its own
 * loopback, or to a cloud's metadata. As upstream, only addresses that Go calls global unicast are allowed.
 */
export function isAllowedAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !special.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
