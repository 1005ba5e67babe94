import type { RequestHeaderOptions } from './request-header.ts';

/** Who is believed, and how; kube-apiserver's flags of the same meaning stand beside each. */
export interface AuthenticationOptions {
  /** PEM of the authorities whose certificates are users (`--client-ca-file`). */
  readonly clientCa?: string;
  readonly requestHeader?: RequestHeaderOptions;
  /** The first signs, tokens of all are believed (`--service-account-issuer`). */
  readonly serviceAccountIssuers?: readonly string[];
  /** PEM of further keys whose tokens are believed (`--service-account-key-file`). */
  readonly verificationKeys?: readonly string[];
  /** Where verifiers outside the cluster find the keys (`--service-account-jwks-uri`). */
  readonly jwksUri?: string;
  /** The issuers, unless set (`--api-audiences`). */
  readonly apiAudiences?: readonly string[];
  /** True unless set (`--service-account-extend-token-expiration`). */
  readonly extendsTokenExpiration?: boolean;
  /** False: tokens of Secrets are good without their Secret and account. True unless set (`--service-account-lookup`). */
  readonly looksUpLegacyTokens?: boolean;
  /** `--service-account-max-token-expiration`. */
  readonly maxTokenLifetimeSeconds?: number;
  /** Lines of `token,user,uid,"groups"` (the content of `--token-auth-file`). */
  readonly tokenFile?: string;
  /** True unless set (`--enable-bootstrap-token-auth`). */
  readonly bootstrapTokens?: boolean;
  /** True unless set (`--anonymous-auth`); an AuthenticationConfiguration may say more. */
  readonly anonymous?: boolean;
  /** Path of an AuthenticationConfiguration, followed as it changes (`--authentication-config`). */
  readonly configFile?: string;
  /** One issuer without a file (`--oidc-*`). */
  readonly oidc?: OidcFlags;
  /** `--authentication-token-webhook-*`. */
  readonly webhook?: TokenWebhookOptions;
}

export interface OidcFlags {
  readonly issuerUrl: string;
  readonly clientId: string;
  /** PEM; the machine's own authorities unless set. */
  readonly ca?: string;
  /** `sub` unless set. */
  readonly usernameClaim?: string;
  /** The issuer's address and `#` unless set, except for e-mail addresses; `-` means none. */
  readonly usernamePrefix?: string;
  readonly groupsClaim?: string;
  readonly groupsPrefix?: string;
  /** Claims that a token must have with these values. */
  readonly requiredClaims?: Readonly<Record<string, string>>;
}

export interface TokenWebhookOptions {
  /** Path of a kubeconfig that leads to the webhook. */
  readonly configFile: string;
  readonly version?: 'v1' | 'v1beta1';
  /** 2 minutes unless set. */
  readonly cacheTtlMs?: number;
}

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local';
