import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AuditOptions } from '#apiserver/audit/auditor.ts';
import type { AuthenticationOptions } from '#apiserver/authentication/options.ts';
import { defaultRequestHeaders, type RequestHeaderOptions } from '#apiserver/authentication/request-header.ts';
import type { AuthorizationOptions } from '#apiserver/authorization/options.ts';
import type { ApiServerOptions } from '#apiserver/server.ts';
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
  const audit = auditOptions(flags);
  return {
    ...base,
    tokenSigningKey: fileOf(flags, 'service-account-signing-key-file')[0] ?? signingKey(),
    authentication: authenticationOptions(flags),
    authorization: authorizationOptions(flags),
    admission: {
      enable: flags.list('enable-admission-plugins') ?? [],
      disable: flags.list('disable-admission-plugins') ?? [],
      ...given({
        configFile: flags.text('admission-control-config-file'),
        notReadyTolerationSeconds: flags.whole('default-not-ready-toleration-seconds'),
        unreachableTolerationSeconds: flags.whole('default-unreachable-toleration-seconds'),
      }),
    },
    fairness: given({
      enabled: flags.boolean('enable-priority-and-fairness'),
      maxReadsInFlight: flags.whole('max-requests-inflight'),
      maxWritesInFlight: flags.whole('max-mutating-requests-inflight'),
    }),
    ...(gates === undefined ? {} : { featureGates: enabledGates(gates) }),
    ...(hasProxy ? { proxyIdentity: () => proxyIdentity } : {}),
    ...given({
      encryption: configured(flags, 'encryption-provider-config'),
      audit,
    }),
  };
}

function configured(flags: Flags, name: string): { readonly configFile: string } | undefined {
  const configFile = flags.text(name);
  return configFile === undefined ? undefined : { configFile };
}

/** Without what nobody said: absent and undefined are not the same to who reads options. */
function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
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

function authenticationOptions(flags: Flags): AuthenticationOptions {
  const lifetimeMs = flags.durationMs('service-account-max-token-expiration') ?? 0;
  const webhook = flags.text('authentication-token-webhook-config-file');
  return {
    ...given({
      clientCa: fileOf(flags, 'client-ca-file')[0],
      requestHeader: requestHeaders(flags),
      serviceAccountIssuers: flags.all('service-account-issuer'),
      verificationKeys: flags.all('service-account-key-file')?.map((path) => readFileSync(path, 'utf8')),
      jwksUri: flags.text('service-account-jwks-uri'),
      apiAudiences: flags.list('api-audiences'),
      extendsTokenExpiration: flags.boolean('service-account-extend-token-expiration'),
      maxTokenLifetimeSeconds: lifetimeMs === 0 ? undefined : lifetimeMs / 1000,
      tokenFile: fileOf(flags, 'token-auth-file')[0],
      anonymous: flags.boolean('anonymous-auth'),
      configFile: flags.text('authentication-config'),
    }),
    ...(webhook === undefined
      ? {}
      : {
          webhook: {
            configFile: webhook,
            ...given({
              version: versionOf(flags.text('authentication-token-webhook-version')),
              cacheTtlMs: flags.durationMs('authentication-token-webhook-cache-ttl'),
            }),
          },
        }),
    bootstrapTokens: flags.boolean('enable-bootstrap-token-auth') ?? false,
  };
}

/** The older version unless the flag says otherwise, as upstream's flags have it. */
function versionOf(text: string | undefined): 'v1' | 'v1beta1' {
  return text === 'v1' ? 'v1' : 'v1beta1';
}

function requestHeaders(flags: Flags): RequestHeaderOptions | undefined {
  const [clientCa] = fileOf(flags, 'requestheader-client-ca-file');
  if (clientCa === undefined) return undefined;
  const lower = (name: string, otherwise: readonly string[]): readonly string[] =>
    flags.list(name)?.map((header) => header.toLowerCase()) ?? otherwise;
  return {
    clientCa,
    allowedNames: flags.list('requestheader-allowed-names') ?? [],
    usernameHeaders: lower('requestheader-username-headers', defaultRequestHeaders.usernameHeaders),
    uidHeaders: lower('requestheader-uid-headers', defaultRequestHeaders.uidHeaders),
    groupHeaders: lower('requestheader-group-headers', defaultRequestHeaders.groupHeaders),
    extraHeaderPrefixes: lower('requestheader-extra-headers-prefix', defaultRequestHeaders.extraHeaderPrefixes),
  };
}

function authorizationOptions(flags: Flags): AuthorizationOptions {
  const webhook = flags.text('authorization-webhook-config-file');
  const configFile = flags.text('authorization-config');
  return {
    ...(configFile === undefined ? { modes: flags.list('authorization-mode') ?? ['AlwaysAllow'] } : { configFile }),
    ...given({ policyFile: flags.text('authorization-policy-file') }),
    ...(webhook === undefined
      ? {}
      : {
          webhook: {
            configFile: webhook,
            ...given({
              version: versionOf(flags.text('authorization-webhook-version')),
              authorizedTtlMs: flags.durationMs('authorization-webhook-cache-authorized-ttl'),
              unauthorizedTtlMs: flags.durationMs('authorization-webhook-cache-unauthorized-ttl'),
            }),
          },
        }),
  };
}

function auditOptions(flags: Flags): AuditOptions | undefined {
  const policyFile = flags.text('audit-policy-file');
  if (policyFile === undefined) return undefined;
  const path = flags.text('audit-log-path');
  const webhook = flags.text('audit-webhook-config-file');
  return {
    policyFile,
    ...(path === undefined
      ? {}
      : {
          log: {
            path,
            ...given({
              format: flags.text('audit-log-format') === 'legacy' ? ('legacy' as const) : undefined,
              mode: modeOf(flags.text('audit-log-mode')),
              maxSizeMegabytes: flags.whole('audit-log-maxsize'),
              maxBackups: flags.whole('audit-log-maxbackup'),
              maxAgeDays: flags.whole('audit-log-maxage'),
            }),
          },
        }),
    ...(webhook === undefined
      ? {}
      : {
          webhook: {
            configFile: webhook,
            ...given({
              mode: modeOf(flags.text('audit-webhook-mode')),
              initialBackoffMs: flags.durationMs('audit-webhook-initial-backoff'),
            }),
          },
        }),
  };
}

const auditModes = ['batch', 'blocking', 'blocking-strict'] as const;

function modeOf(text: string | undefined): (typeof auditModes)[number] | undefined {
  return auditModes.find((mode) => mode === text);
}

/** For tokens that nobody outside has to believe. */
function signingKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}
