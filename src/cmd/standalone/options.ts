import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AccessOptions, accessFlags, accessOptions } from '#apiserver/flags.ts';
import type { ApiServerOptions } from '#apiserver/server.ts';
import { type PortRange, parsePortRange } from '#apiserver/services/port-range.ts';
import { FlagError, type Flags } from './flags.ts';

type Base = Pick<ApiServerOptions, 'store' | 'upstreamForm' | 'environment' | 'serviceCidr'>;

/** What kube-apiserver's flags say, as the options of our server. @throws FlagError for what it cannot do. */
export function serverOptions(flags: Flags, base: Base): ApiServerOptions {
  if (flags.text('egress-selector-config-file') !== undefined)
    throw new FlagError(
      '--egress-selector-config-file: this server reaches everything directly; egress selectors are not supported',
    );
  const [proxyCertificate] = fileOf(flags, 'proxy-client-cert-file');
  const [proxyKey] = fileOf(flags, 'proxy-client-key-file');
  const hasProxy = proxyCertificate !== undefined && proxyKey !== undefined;
  const proxyIdentity = { certificate: proxyCertificate ?? '', key: proxyKey ?? '' };
  const gates = flags.map('feature-gates');
  const access = accessOf(flags);
  return {
    ...base,
    ...access,
    tokenSigningKey: access.tokenSigningKey ?? signingKey(),
    // The official server believes no bootstrap tokens and allows everything unless told otherwise.
    authentication: { bootstrapTokens: false, ...access.authentication },
    leavesPolicyStatus: true,
    authorization: {
      ...(flags.has('authorization-config') ? {} : { modes: ['AlwaysAllow'] }),
      ...access.authorization,
    },
    admission: {
      enable: flags.list('enable-admission-plugins') ?? [],
      disable: flags.list('disable-admission-plugins') ?? [],
      ...given({
        configFile: flags.text('admission-control-config-file'),
        notReadyTolerationSeconds: flags.whole('default-not-ready-toleration-seconds'),
        unreachableTolerationSeconds: flags.whole('default-unreachable-toleration-seconds'),
      }),
    },
    ...given({ nodePorts: nodePorts(flags), eventTtlSeconds: seconds(flags, 'event-ttl') }),
    ...(gates === undefined ? {} : { featureGates: enabledGates(gates) }),
    ...(hasProxy ? { proxyIdentity: () => proxyIdentity } : {}),
  };
}

function nodePorts(flags: Flags): PortRange | undefined {
  const text = flags.text('service-node-port-range');
  try {
    return text === undefined ? undefined : parsePortRange(text);
  } catch (error) {
    throw new FlagError(`--service-node-port-range: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function seconds(flags: Flags, name: string): number | undefined {
  const milliseconds = flags.durationMs(name);
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

function accessOf(flags: Flags): AccessOptions {
  try {
    return accessOptions(Object.fromEntries(accessFlags.map((name) => [name, flags.all(name)])));
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

/** Without what nobody said: absent and undefined are not the same to who reads options. */
export function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function enabledGates(gates: Readonly<Record<string, string>>): Record<string, boolean> {
  return Object.fromEntries(
    // Gates of several components are told apart by a prefix: `kube:JobManagedBy=true`.
    Object.entries(gates).map(([name, value]) => [name.replace(/^kube:/, ''), value.toLowerCase() === 'true']),
  );
}

/** The content of the file that a flag names: none, or one. */
export function fileOf(flags: Flags, name: string): readonly string[] {
  const path = flags.text(name);
  return path === undefined ? [] : [readFileSync(path, 'utf8')];
}

/** For tokens that nobody outside has to believe. */
function signingKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}
