import { readFileSync } from 'node:fs';
import { pluginEntries } from '#apiserver/admission/index.ts';
import type { AdmissionOptions } from '#apiserver/admission/plugin.ts';
import type { ApiServerOptions } from '#apiserver/assemble.ts';
import { type AccessOptions, accessFlags, accessOptions } from '#apiserver/flags.ts';
import { versionInfo } from '#apiserver/http/version.ts';
import { type PortRange, parsePortRange } from '#apiserver/services/port-range.ts';
import { newSigningKey } from '../signing-key.ts';
import { FlagError, type Flags } from './flags.ts';

type Base = 'store' | 'upstreamForm' | 'environment' | 'serviceCidr';

/** What kube-apiserver's flags say, as the options of our server. @throws FlagError for what it cannot do. */
export function serverOptions(flags: Flags): Omit<ApiServerOptions, Base> {
  refuseUnsupported(flags);
  const [proxyCertificate] = fileOf(flags, 'proxy-client-cert-file');
  const [proxyKey] = fileOf(flags, 'proxy-client-key-file');
  const hasProxy = proxyCertificate !== undefined && proxyKey !== undefined;
  const proxyIdentity = { certificate: proxyCertificate ?? '', key: proxyKey ?? '' };
  const gates = flags.map('feature-gates');
  const access = accessOf(flags);
  return {
    ...access,
    // A key of its own is for tokens that nobody outside has to believe.
    tokenSigningKey: access.tokenSigningKey ?? newSigningKey(),
    // The official server believes no bootstrap tokens and allows everything unless told otherwise.
    authentication: { bootstrapTokens: false, ...access.authentication },
    leavesPolicyStatus: true,
    // No container is privileged there unless the flag says so.
    builtIn: { allowsPrivileged: false, ...access.builtIn },
    authorization: {
      ...(flags.has('authorization-config') ? {} : { modes: ['AlwaysAllow'] }),
      ...access.authorization,
    },
    admission: {
      ...admissionPlugins(flags),
      ...given({
        configFile: flags.text('admission-control-config-file'),
        notReadyTolerationSeconds: flags.whole('default-not-ready-toleration-seconds'),
        unreachableTolerationSeconds: flags.whole('default-unreachable-toleration-seconds'),
      }),
    },
    ...given({
      nodePorts: nodePorts(flags),
      eventTtlSeconds: seconds(flags, 'event-ttl'),
      minWatchSeconds: flags.whole('min-request-timeout'),
      collectsGarbage: flags.boolean('enable-garbage-collector'),
      compactionMs: flags.durationMs('etcd-compaction-interval'),
    }),
    ...(gates === undefined ? {} : { featureGates: enabledGates(gates) }),
    ...(hasProxy ? { proxyIdentity: () => proxyIdentity } : {}),
  };
}

/** What would change something if it were done, and is not: better said at once than found out later. */
function refuseUnsupported(flags: Flags): void {
  for (const [name, why] of Object.entries(unsupported)) {
    if (flags.text(name) !== undefined) throw new FlagError(`--${name}: ${why}`);
  }
  if ((flags.text('storage-backend') ?? 'etcd3') !== 'etcd3')
    throw new FlagError(
      "--storage-backend invalid, allowed values: etcd3. If not specified, it will default to 'etcd3'",
    );
  const form = flags.text('storage-media-type') ?? storedForm;
  if (form !== storedForm)
    throw new FlagError(`--storage-media-type ${JSON.stringify(form)} invalid, allowed values: ${storedForm}`);
  for (const version of flags.list('emulated-version') ?? [])
    if (version.replace(/^kube=/, '') !== servedVersion)
      throw new FlagError(`emulation version ${version} is not ${servedVersion}, the only one that this server can be`);
  for (const name of ['audit-log-version', 'audit-webhook-version'])
    if ((flags.text(name) ?? 'audit.k8s.io/v1') !== 'audit.k8s.io/v1')
      throw new FlagError('invalid group version, allowed versions are ["audit.k8s.io/v1"]');
}

const storedForm = 'application/vnd.kubernetes.protobuf';
const servedVersion = `${versionInfo.major}.${versionInfo.minor}`;
const unsupported: Readonly<Record<string, string>> = {
  'egress-selector-config-file': 'this server reaches everything directly; egress selectors are not supported',
  'etcd-servers-overrides': 'all kinds are kept in the one store that --etcd-servers names',
  'service-account-signing-endpoint': 'tokens are signed with the key in --service-account-signing-key-file',
};

/** The older flag names all plugins that there are to be; those that upstream switches on by itself go unless named. */
function admissionPlugins(flags: Flags): Pick<AdmissionOptions, 'enable' | 'disable'> {
  const only = flags.list('admission-control');
  if (only !== undefined)
    return { enable: only, disable: pluginEntries.map(({ name }) => name).filter((name) => !only.includes(name)) };
  return {
    enable: flags.list('enable-admission-plugins') ?? [],
    disable: flags.list('disable-admission-plugins') ?? [],
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
