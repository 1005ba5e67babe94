import { readFileSync } from 'node:fs';
import { parseDuration } from '#machinery/time.ts';
import type { AuditOptions } from './audit/auditor.ts';
import type { AuditLogOptions } from './audit/log-backend.ts';
import type { TruncationOptions } from './audit/truncation.ts';
import type { AuditWebhookOptions } from './audit/webhook-backend.ts';
import type { AuthenticationOptions, OidcFlags } from './authentication/options.ts';
import { defaultRequestHeaders, type RequestHeaderOptions } from './authentication/request-header.ts';
import type { AuthorizationOptions } from './authorization/options.ts';
import type { EncryptionOptions } from './encryption/encryption.ts';
import type { FairnessOptions } from './fairness/flow-control.ts';
import type { BuiltInOptions } from './resources/built-in.ts';
import { parseRuntimeConfig } from './resources/runtime-config.ts';
import { readTracingConfiguration, type TracingConfiguration } from './tracing/configuration.ts';

/** Flags by their names without dashes in front; one that is given several times has several values. */
export type FlagValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The part of a server's options that says who may and what is kept of it. */
export interface AccessOptions {
  readonly authentication?: AuthenticationOptions;
  readonly authorization?: AuthorizationOptions;
  readonly audit?: AuditOptions;
  readonly encryption?: EncryptionOptions;
  readonly fairness?: FairnessOptions;
  readonly tracing?: TracingConfiguration;
  readonly builtIn?: BuiltInOptions;
  /** Private key in PEM that signs service-account tokens. */
  readonly tokenSigningKey?: string;
}

/** Every flag of kube-apiserver that `accessOptions` knows. */
export const accessFlags = [
  'allow-privileged',
  'anonymous-auth',
  'api-audiences',
  'audit-log-batch-buffer-size',
  'audit-log-batch-max-size',
  'audit-log-batch-max-wait',
  'audit-log-format',
  'audit-log-maxage',
  'audit-log-maxbackup',
  'audit-log-maxsize',
  'audit-log-mode',
  'audit-log-path',
  'audit-log-truncate-enabled',
  'audit-log-truncate-max-event-size',
  'audit-policy-file',
  'audit-webhook-batch-buffer-size',
  'audit-webhook-batch-max-size',
  'audit-webhook-batch-max-wait',
  'audit-webhook-batch-throttle-burst',
  'audit-webhook-batch-throttle-enable',
  'audit-webhook-batch-throttle-qps',
  'audit-webhook-config-file',
  'audit-webhook-initial-backoff',
  'audit-webhook-mode',
  'audit-webhook-truncate-enabled',
  'audit-webhook-truncate-max-event-size',
  'authentication-config',
  'authentication-token-webhook-cache-ttl',
  'authentication-token-webhook-config-file',
  'authentication-token-webhook-version',
  'authorization-config',
  'authorization-mode',
  'authorization-policy-file',
  'authorization-webhook-cache-authorized-ttl',
  'authorization-webhook-cache-unauthorized-ttl',
  'authorization-webhook-config-file',
  'authorization-webhook-version',
  'client-ca-file',
  'enable-bootstrap-token-auth',
  'enable-priority-and-fairness',
  'encryption-provider-config',
  'encryption-provider-config-automatic-reload',
  'max-mutating-requests-inflight',
  'max-requests-inflight',
  'oidc-ca-file',
  'oidc-client-id',
  'oidc-groups-claim',
  'oidc-groups-prefix',
  'oidc-issuer-url',
  'oidc-required-claim',
  'oidc-username-claim',
  'oidc-username-prefix',
  'requestheader-allowed-names',
  'requestheader-client-ca-file',
  'requestheader-extra-headers-prefix',
  'requestheader-group-headers',
  'requestheader-uid-headers',
  'requestheader-username-headers',
  'runtime-config',
  'service-account-extend-token-expiration',
  'service-account-issuer',
  'service-account-jwks-uri',
  'service-account-key-file',
  'service-account-lookup',
  'service-account-max-token-expiration',
  'service-account-signing-key-file',
  'token-auth-file',
  'tracing-config-file',
] as const;

type AccessFlag = (typeof accessFlags)[number];

/** kube-apiserver's flags as options. @throws Error that names the flag whose value or file cannot be used. */
export function accessOptions(values: FlagValues): AccessOptions {
  const flags = new Flags(values);
  const signing = flags.file('service-account-signing-key-file');
  const audit = auditOptions(flags);
  const encryption = flags.text('encryption-provider-config');
  const tracing = flags.file('tracing-config-file');
  return {
    authentication: authenticationOptions(flags),
    authorization: authorizationOptions(flags),
    ...(audit === undefined ? {} : { audit }),
    ...(encryption === undefined
      ? {}
      : {
          encryption: defined({
            configFile: encryption,
            reloads: flags.boolean('encryption-provider-config-automatic-reload'),
          }),
        }),
    fairness: defined({
      enabled: flags.boolean('enable-priority-and-fairness'),
      maxReadsInFlight: flags.number('max-requests-inflight'),
      maxWritesInFlight: flags.number('max-mutating-requests-inflight'),
    }),
    builtIn: builtInOptions(flags),
    ...(tracing === undefined ? {} : { tracing: readTracingConfiguration(tracing) }),
    ...(signing === undefined ? {} : { tokenSigningKey: signing }),
  };
}

function builtInOptions(flags: Flags): BuiltInOptions {
  const settings = flags.list('runtime-config')?.map((pair): [string, string] => {
    const [key = '', value = 'true'] = pair.split('=');
    return [key, value];
  });
  return defined({
    isServed: settings === undefined ? undefined : parseRuntimeConfig(Object.fromEntries(settings)),
    allowsPrivileged: flags.boolean('allow-privileged'),
  });
}

function authenticationOptions(flags: Flags): AuthenticationOptions {
  const webhook = flags.text('authentication-token-webhook-config-file');
  const lifetimeMs = flags.durationMs('service-account-max-token-expiration');
  return defined({
    clientCa: flags.file('client-ca-file'),
    requestHeader: requestHeaderOptions(flags),
    serviceAccountIssuers: flags.all('service-account-issuer'),
    verificationKeys: flags
      .list('service-account-key-file')
      ?.map((path) => flags.read('service-account-key-file', path)),
    jwksUri: flags.text('service-account-jwks-uri'),
    apiAudiences: flags.list('api-audiences'),
    looksUpLegacyTokens: flags.boolean('service-account-lookup'),
    extendsTokenExpiration: flags.boolean('service-account-extend-token-expiration'),
    maxTokenLifetimeSeconds: lifetimeMs === undefined || lifetimeMs === 0 ? undefined : lifetimeMs / 1000,
    tokenFile: flags.file('token-auth-file'),
    bootstrapTokens: flags.boolean('enable-bootstrap-token-auth'),
    anonymous: flags.boolean('anonymous-auth'),
    configFile: flags.text('authentication-config'),
    oidc: oidcFlags(flags),
    webhook:
      webhook === undefined
        ? undefined
        : defined({
            configFile: webhook,
            version: flags.choice('authentication-token-webhook-version', reviewVersions) ?? 'v1beta1',
            cacheTtlMs: flags.durationMs('authentication-token-webhook-cache-ttl'),
          }),
  });
}

function oidcFlags(flags: Flags): OidcFlags | undefined {
  const issuerUrl = flags.text('oidc-issuer-url');
  const clientId = flags.text('oidc-client-id');
  if (issuerUrl === undefined && clientId === undefined) return undefined;
  if (issuerUrl === undefined || clientId === undefined)
    throw new Error('oidc-issuer-url and oidc-client-id must be specified together');
  const required = (flags.list('oidc-required-claim') ?? []).map((pair): [string, string] => {
    const [claim = '', ...value] = pair.split('=');
    return [claim, value.join('=')];
  });
  return defined({
    issuerUrl,
    clientId,
    ca: flags.file('oidc-ca-file'),
    usernameClaim: flags.text('oidc-username-claim'),
    usernamePrefix: flags.text('oidc-username-prefix'),
    groupsClaim: flags.text('oidc-groups-claim'),
    groupsPrefix: flags.text('oidc-groups-prefix'),
    requiredClaims: Object.fromEntries(required),
  });
}

function requestHeaderOptions(flags: Flags): RequestHeaderOptions | undefined {
  const clientCa = flags.file('requestheader-client-ca-file');
  if (clientCa === undefined) return undefined;
  const names = (flag: AccessFlag): readonly string[] | undefined =>
    flags.list(flag)?.map((name) => name.toLowerCase());
  return {
    clientCa,
    allowedNames: flags.list('requestheader-allowed-names') ?? [],
    usernameHeaders: names('requestheader-username-headers') ?? defaultRequestHeaders.usernameHeaders,
    uidHeaders: names('requestheader-uid-headers') ?? defaultRequestHeaders.uidHeaders,
    groupHeaders: names('requestheader-group-headers') ?? defaultRequestHeaders.groupHeaders,
    extraHeaderPrefixes: names('requestheader-extra-headers-prefix') ?? defaultRequestHeaders.extraHeaderPrefixes,
  };
}

function authorizationOptions(flags: Flags): AuthorizationOptions {
  const webhook = flags.text('authorization-webhook-config-file');
  return defined({
    modes: flags.list('authorization-mode'),
    configFile: flags.text('authorization-config'),
    policyFile: flags.text('authorization-policy-file'),
    webhook:
      webhook === undefined
        ? undefined
        : defined({
            configFile: webhook,
            version: flags.choice('authorization-webhook-version', reviewVersions) ?? 'v1beta1',
            authorizedTtlMs: flags.durationMs('authorization-webhook-cache-authorized-ttl'),
            unauthorizedTtlMs: flags.durationMs('authorization-webhook-cache-unauthorized-ttl'),
          }),
  });
}

/** The older one is what upstream's flags mean unless told otherwise. */
const reviewVersions = ['v1', 'v1beta1'] as const;
const auditModes = ['batch', 'blocking', 'blocking-strict'] as const;

function auditOptions(flags: Flags): AuditOptions | undefined {
  const policyFile = flags.text('audit-policy-file');
  if (policyFile === undefined) return undefined;
  const path = flags.text('audit-log-path');
  const webhook = flags.text('audit-webhook-config-file');
  const log: AuditLogOptions | undefined =
    path === undefined
      ? undefined
      : defined({
          path,
          format: flags.choice('audit-log-format', ['json', 'legacy'] as const),
          mode: flags.choice('audit-log-mode', auditModes),
          maxAgeDays: flags.number('audit-log-maxage'),
          maxBackups: flags.number('audit-log-maxbackup'),
          maxSizeMegabytes: flags.number('audit-log-maxsize'),
          batch: batchOptions(flags, 'audit-log'),
          truncation: truncationOptions(flags, 'audit-log'),
        });
  const hook: AuditWebhookOptions | undefined =
    webhook === undefined
      ? undefined
      : defined({
          configFile: webhook,
          mode: flags.choice('audit-webhook-mode', auditModes),
          initialBackoffMs: flags.durationMs('audit-webhook-initial-backoff'),
          batch: batchOptions(flags, 'audit-webhook'),
          truncation: truncationOptions(flags, 'audit-webhook'),
          throttle:
            flags.boolean('audit-webhook-batch-throttle-enable') === false
              ? (false as const)
              : defined({
                  perSecond: flags.number('audit-webhook-batch-throttle-qps'),
                  burst: flags.number('audit-webhook-batch-throttle-burst'),
                }),
        });
  return defined({ policyFile, log, webhook: hook });
}

function batchOptions(flags: Flags, of: 'audit-log' | 'audit-webhook'): AuditLogOptions['batch'] {
  return defined({
    bufferSize: flags.number(`${of}-batch-buffer-size`),
    maxSize: flags.number(`${of}-batch-max-size`),
    maxWaitMs: flags.durationMs(`${of}-batch-max-wait`),
  });
}

function truncationOptions(flags: Flags, of: 'audit-log' | 'audit-webhook'): TruncationOptions | undefined {
  if (flags.boolean(`${of}-truncate-enabled`) !== true) return undefined;
  return defined({ maxEventBytes: flags.number(`${of}-truncate-max-event-size`) });
}

/** Options without those that nobody gave. */
function defined<T extends object>(options: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}

/** Reads flags by their kinds. */
class Flags {
  readonly #values: FlagValues;

  constructor(values: FlagValues) {
    this.#values = values;
  }

  text(flag: AccessFlag): string | undefined {
    const value = [this.#values[flag] ?? []].flat().at(-1);
    return value === '' ? undefined : value;
  }

  /** Values of a flag that may be given several times, as they are. */
  all(flag: AccessFlag): readonly string[] | undefined {
    const values = [this.#values[flag] ?? []].flat().filter((value) => value !== '');
    return values.length === 0 ? undefined : values;
  }

  /** Values of a flag that may be given several times, or once with commas. */
  list(flag: AccessFlag): readonly string[] | undefined {
    const values = [this.#values[flag] ?? []].flat().flatMap((value) => value.split(','));
    const given = values.map((value) => value.trim()).filter((value) => value !== '');
    return given.length === 0 ? undefined : given;
  }

  file(flag: AccessFlag): string | undefined {
    const path = this.text(flag);
    return path === undefined ? undefined : this.read(flag, path);
  }

  read(flag: AccessFlag, path: string): string {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new Error(`--${flag}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  boolean(flag: AccessFlag): boolean | undefined {
    const value = this.text(flag);
    if (value === undefined) return undefined;
    // What Go's own parser takes for a truth value.
    if (/^(1|t|true)$/i.test(value)) return true;
    if (/^(0|f|false)$/i.test(value)) return false;
    throw new Error(`--${flag} must be true or false, not ${JSON.stringify(value)}`);
  }

  number(flag: AccessFlag): number | undefined {
    const value = this.text(flag);
    if (value === undefined) return undefined;
    if (!/^\d{1,12}$/.test(value)) throw new Error(`--${flag} must be a whole number, not ${JSON.stringify(value)}`);
    return Number(value);
  }

  durationMs(flag: AccessFlag): number | undefined {
    const value = this.text(flag);
    if (value === undefined) return undefined;
    const parsed = parseDuration(value);
    if (parsed === undefined) throw new Error(`--${flag} must be a duration such as 30s, not ${JSON.stringify(value)}`);
    return parsed;
  }

  choice<T extends string>(flag: AccessFlag, allowed: readonly T[]): T | undefined {
    const value = this.text(flag);
    if (value === undefined) return undefined;
    if (!(allowed as readonly string[]).includes(value))
      throw new Error(`--${flag} must be one of ${allowed.join(', ')}, not ${JSON.stringify(value)}`);
    return value as T;
  }
}
