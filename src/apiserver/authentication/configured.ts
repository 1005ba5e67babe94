import { readFileSync } from 'node:fs';
import type { Environment } from '#base/environment.ts';
import { followFile } from '../followed-file.ts';
import { type AuthenticationRules, readAuthenticationConfiguration } from './configuration.ts';
import { OidcIssuer } from './oidc/issuer.ts';
import type { AuthenticationOptions, OidcFlags } from './options.ts';

const noRules: AuthenticationRules = { issuers: [], anonymous: undefined };

/** The part of authentication that an AuthenticationConfiguration decides, in step with its file. */
export class ConfiguredAuthentication {
  readonly #options: AuthenticationOptions;
  readonly #followed: { close(): void } | undefined;
  #rules = noRules;
  #issuers: readonly OidcIssuer[] = [];
  #listener: ((issuers: readonly OidcIssuer[]) => void) | undefined;

  /** @throws Error when the file cannot be read or is wrong. */
  constructor(
    options: AuthenticationOptions,
    context: {
      readonly environment: Environment;
      readonly apiAudiences: readonly string[];
      readonly ownIssuers: readonly string[];
    },
  ) {
    this.#options = options;
    const { environment, apiAudiences } = context;
    const use = (text: string): void => {
      this.#rules = readAuthenticationConfiguration(text, context);
      if (this.#rules.anonymous !== undefined && options.anonymous !== undefined)
        throw new Error('anonymous must not be configured both by a flag and in the AuthenticationConfiguration');
      const issuer = ({ settings, mapper }: AuthenticationRules['issuers'][number]) =>
        new OidcIssuer(settings, mapper, { environment, apiAudiences });
      this.#issuers = this.#rules.issuers.map(issuer);
      this.#listener?.(this.#issuers);
    };
    if (options.oidc !== undefined) {
      if (options.configFile !== undefined)
        throw new Error('an issuer is configured either by flags or in the AuthenticationConfiguration');
      use(JSON.stringify(configurationOf(options.oidc)));
    }
    if (options.configFile === undefined) return;
    const text = readFileSync(options.configFile, 'utf8');
    use(text);
    this.#followed = followFile(options.configFile, environment, { text, onChange: use });
  }

  /** Calls back now and after each change. */
  onChange(listener: (issuers: readonly OidcIssuer[]) => void): void {
    this.#listener = listener;
    listener(this.#issuers);
  }

  allowsAnonymous(path: string): boolean {
    return this.#rules.anonymous?.(path) ?? this.#options.anonymous !== false;
  }

  close(): void {
    this.#followed?.close();
  }
}

/** The configuration that flags for one issuer stand for. */
function configurationOf(flags: OidcFlags): object {
  const { issuerUrl, clientId, ca, usernameClaim = 'sub', groupsClaim, groupsPrefix = '', requiredClaims = {} } = flags;
  const ownPrefix = usernameClaim === 'email' ? '' : `${issuerUrl}#`;
  const prefix = flags.usernamePrefix === '-' ? '' : (flags.usernamePrefix ?? ownPrefix);
  return {
    kind: 'AuthenticationConfiguration',
    apiVersion: 'apiserver.config.k8s.io/v1',
    jwt: [
      {
        issuer: { url: issuerUrl, audiences: [clientId], ...(ca === undefined ? {} : { certificateAuthority: ca }) },
        claimMappings: {
          username: { claim: usernameClaim, prefix },
          ...(groupsClaim === undefined ? {} : { groups: { claim: groupsClaim, prefix: groupsPrefix } }),
        },
        claimValidationRules: Object.entries(requiredClaims).map(([claim, requiredValue]) => ({
          claim,
          requiredValue,
        })),
      },
    ],
  };
}
