import { global, member } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import { typeConstants } from '../../library/standard/index.ts';
import { boolType, type CelType, intType, opaqueType, stringType } from '../../types/types.ts';
import { OpaqueValue, type Value } from '../../values/value.ts';
import {
  type Address,
  addressOf,
  containsAddress,
  formatAddress,
  masked,
  type Network,
  networkOf,
  parseAddress,
  parseNetwork,
  within,
} from './network.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library and the CIDR library. */

const ipType: CelType = opaqueType('net.IP');
const cidrType: CelType = opaqueType('net.CIDR');

class IpValue extends OpaqueValue {
  readonly type = ipType;
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  equals(other: Value): boolean {
    const { family, bits } = this.address;
    return other instanceof IpValue && other.address.family === family && other.address.bits === bits;
  }

  /** Bytes: what comparing two of them goes through. */
  override get costSize(): number {
    return this.address.family === 4 ? 4 : 16;
  }
}

class CidrValue extends OpaqueValue {
  readonly type = cidrType;
  readonly network: Network;

  constructor(network: Network) {
    super();
    this.network = network;
  }

  equals(other: Value): boolean {
    if (!(other instanceof CidrValue) || other.network.length !== this.network.length) return false;
    return new IpValue(this.network.address).equals(new IpValue(other.network.address));
  }

  /** Bytes of the prefix. */
  override get costSize(): number {
    return Math.ceil(this.network.length / 8);
  }
}

const asAddress = (value: IpValue | string): Address => (typeof value === 'string' ? addressOf(value) : value.address);
const asNetwork = (value: CidrValue | string): Network =>
  typeof value === 'string' ? networkOf(value) : value.network;

const containsIp = ({ network }: CidrValue, other: IpValue | string): boolean =>
  containsAddress(network, asAddress(other));
function containsCidr({ network }: CidrValue, other: CidrValue | string): boolean {
  const inner = asNetwork(other);
  return network.length <= inner.length && containsAddress(network, inner.address);
}

const formatNetwork = ({ address, length }: Network): string => `${formatAddress(address)}/${length}`;

/** What netip says of an address; each test names the networks that it is about. */
const tests: readonly (readonly [string, string, (address: Address) => boolean])[] = [
  ['isUnspecified', 'ip_is_unspecified', ({ bits }) => bits === 0n],
  ['isLoopback', 'ip_is_loopback', isLoopback],
  [
    'isLinkLocalMulticast',
    'ip_is_link_local_multicast',
    (address) =>
      address.family === 4 ? within(address, '224.0.0.0/24') : ((address.bits >> 112n) & 0xff0fn) === 0xff02n,
  ],
  ['isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast],
  ['isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast],
];

function isLoopback(address: Address): boolean {
  return address.family === 4 ? within(address, '127.0.0.0/8') : address.bits === 1n;
}

function isLinkLocalUnicast(address: Address): boolean {
  return within(address, address.family === 4 ? '169.254.0.0/16' : 'fe80::/10');
}

function isGlobalUnicast(address: Address): boolean {
  if (address.bits === 0n || (address.family === 4 && address.bits === 0xffffffffn)) return false;
  const isMulticast = within(address, address.family === 4 ? '224.0.0.0/4' : 'ff00::/8');
  return !isLoopback(address) && !isMulticast && !isLinkLocalUnicast(address);
}

function isCanonical(text: string): boolean {
  return formatAddress(addressOf(text)) === text;
}

export const networkLibrary: Library = {
  name: 'kubernetes.net',
  types: typeConstants(
    new Map([
      ['net.IP', ipType],
      ['net.CIDR', cidrType],
    ]),
  ),
  overloads: [
    global('ip', 'string_to_ip', [stringType], ipType, (text: string) => new IpValue(addressOf(text))),
    global('isIP', 'is_ip', [stringType], boolType, (text: string) => parseAddress(text) !== undefined),
    global('ip.isCanonical', 'ip_is_canonical', [stringType], boolType, isCanonical),
    member('family', 'ip_family', [ipType], intType, ({ address }: IpValue) => address.family),
    global('string', 'ip_to_string', [ipType], stringType, ({ address }: IpValue) => formatAddress(address)),
    ...tests.map(([name, id, test]) => member(name, id, [ipType], boolType, ({ address }: IpValue) => test(address))),
    global('cidr', 'string_to_cidr', [stringType], cidrType, (text: string) => new CidrValue(networkOf(text))),
    global('isCIDR', 'is_cidr', [stringType], boolType, (text: string) => parseNetwork(text) !== undefined),
    global('string', 'cidr_to_string', [cidrType], stringType, ({ network }: CidrValue) => formatNetwork(network)),
    member('containsIP', 'cidr_contains_ip_string', [cidrType, stringType], boolType, containsIp),
    member('containsIP', 'cidr_contains_ip_ip', [cidrType, ipType], boolType, containsIp),
    member('containsCIDR', 'cidr_contains_cidr_string', [cidrType, stringType], boolType, containsCidr),
    member('containsCIDR', 'cidr_contains_cidr', [cidrType, cidrType], boolType, containsCidr),
    member('ip', 'cidr_ip', [cidrType], ipType, ({ network }: CidrValue) => new IpValue(network.address)),
    member('prefixLength', 'cidr_prefix_length', [cidrType], intType, ({ network }: CidrValue) => network.length),
    member('masked', 'cidr_masked', [cidrType], cidrType, ({ network }: CidrValue) => new CidrValue(masked(network))),
  ],
};
