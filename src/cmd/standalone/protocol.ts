import type { ProtocolOptions } from '#apiserver/http/front.ts';
import { FlagError, type Flags } from './flags.ts';

/** Connections that end more often than that would cost more than they spread. */
const maxGoawayChance = 0.02;

/** What kube-apiserver's flags say of TLS and HTTP/2. @throws FlagError for names that nobody knows. */
export function protocolOptions(flags: Flags): ProtocolOptions {
  const suites = flags.list('tls-cipher-suites');
  const streams = flags.whole('http2-max-streams-per-connection');
  const goawayChance = Number(flags.text('goaway-chance') ?? 0);
  if (goawayChance < 0) throw new FlagError('--goaway-chance can not be less than 0');
  if (goawayChance > maxGoawayChance) throw new FlagError(`--goaway-chance can not be greater than ${maxGoawayChance}`);
  return {
    minTlsVersion: minTlsVersion(flags.text('tls-min-version')),
    // Those of TLS 1.3 are not to choose, there as here.
    ...(suites === undefined ? {} : { ciphers: suites.map(opensslName).filter((name) => name !== undefined) }),
    ...(streams === undefined || streams === 0 ? {} : { maxConcurrentStreams: streams }),
    ...(goawayChance === 0 ? {} : { goawayChance }),
    withoutHttp2: flags.boolean('disable-http2-serving') === true,
  };
}

function minTlsVersion(name = 'VersionTLS12'): 'TLSv1.2' | 'TLSv1.3' {
  if (!/^VersionTLS1[0-3]$/.test(name)) throw new FlagError(`unknown tls version ${JSON.stringify(name)}`);
  // Nothing older than 1.2 is spoken, whoever asks for it.
  return name === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2';
}

const tls13 = new Set(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']);
const tls12 =
  /^TLS_(?:(ECDHE_RSA|ECDHE_ECDSA)|RSA)_WITH_(?:AES_(128|256)_(GCM|CBC)_(SHA(?:256|384)?)|(CHACHA20_POLY1305)(?:_SHA256)?)$/;

/** Go's name of a cipher suite in OpenSSL's words: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, `ECDHE-RSA-AES128-GCM-SHA256`. */
function opensslName(name: string): string | undefined {
  if (tls13.has(name)) return undefined;
  const match = tls12.exec(name);
  if (match === null) throw new FlagError(`Cipher suite ${name} not supported or doesn't exist`);
  const [, exchange, bits, mode, digest, chacha] = match;
  const prefix = exchange === undefined ? '' : `${exchange.replace('_', '-')}-`;
  if (chacha !== undefined) return `${prefix}CHACHA20-POLY1305`;
  return `${prefix}AES${bits}-${mode === 'GCM' ? 'GCM-' : ''}${digest}`;
}
