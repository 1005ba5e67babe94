import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { Authenticator } from './authenticator.ts';
import { bootstrapTokens } from './bootstrap-tokens.ts';
import { Authorities } from './certificates.ts';
import { ConfiguredAuthentication } from './configured.ts';
import { LegacyTokenUse } from './legacy-token-use.ts';
import type { AuthenticationOptions } from './options.ts';
import { RequestHeaderAuthenticator } from './request-header.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { ServiceAccountAuthenticator } from './service-accounts.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';
import { tokenFile } from './token-file.ts';
import { TokenWebhook } from './webhook.ts';

/** What authentication works on. */
export interface AuthenticationContext {
  readonly tokens: ServiceAccountTokens;
  readonly resources: ResourceTable;
  readonly environment: Environment;
  readonly loopback: () => Client;
}

/** What is running because of the options; `close` lets it go. */
export interface BuiltAuthentication {
  readonly authenticator: Authenticator;
  close(): void;
}

/** The authenticators that the options ask for, in upstream's order. @throws Error when a file cannot be used. */
export function buildAuthenticator(
  options: AuthenticationOptions,
  context: AuthenticationContext,
): BuiltAuthentication {
  const { environment, resources, tokens } = context;
  const now = () => environment.clock.now();
  const apiAudiences = options.apiAudiences ?? tokens.issuers;
  const legacy = new LegacyTokenUse(context);
  const fixed: readonly TokenAuthenticator[] = [
    ...(options.tokenFile === undefined ? [] : [tokenFile(options.tokenFile, apiAudiences)]),
    new ServiceAccountAuthenticator({
      tokens,
      resources,
      now,
      looksUpLegacyTokens: options.looksUpLegacyTokens !== false,
      onLegacyUse: (secret) => legacy.note(secret),
    }),
    ...(options.bootstrapTokens === false ? [] : [bootstrapTokens({ resources, now, apiAudiences })]),
  ];
  const webhook =
    options.webhook === undefined ? undefined : new TokenWebhook(options.webhook, { environment, apiAudiences });
  const configured = new ConfiguredAuthentication(options, { environment, apiAudiences, ownIssuers: tokens.issuers });
  const last = webhook === undefined ? [] : [webhook];
  let all: readonly TokenAuthenticator[] = [];
  configured.onChange((issuers) => {
    all = [...fixed, ...issuers, ...last];
  });
  const clientAuthorities = options.clientCa === undefined ? undefined : new Authorities(options.clientCa);
  const { requestHeader } = options;
  const authenticator = new Authenticator({
    clientAuthorities: () => clientAuthorities,
    requestHeader:
      requestHeader === undefined
        ? undefined
        : new RequestHeaderAuthenticator(requestHeader, new Authorities(requestHeader.clientCa)),
    tokens: () => all,
    apiAudiences,
    allowsAnonymous: (path) => configured.allowsAnonymous(path),
    now,
  });
  return {
    authenticator,
    close() {
      configured.close();
      webhook?.close();
    },
  };
}
