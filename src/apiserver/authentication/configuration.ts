import { parseYaml } from '#machinery/yaml.ts';
import { ClaimMapper, type MappingSettings } from './oidc/claims.ts';
import type { IssuerSettings } from './oidc/issuer.ts';

/** An AuthenticationConfiguration that has been checked. */
export interface AuthenticationRules {
  readonly issuers: readonly { readonly settings: IssuerSettings; readonly mapper: ClaimMapper }[];
  /** Whether a request without credentials is let through; undefined leaves that to the flags. */
  readonly anonymous: ((path: string) => boolean) | undefined;
}

interface WrittenIssuer {
  readonly issuer?: {
    readonly url?: string;
    readonly discoveryURL?: string;
    readonly certificateAuthority?: string;
    readonly audiences?: readonly string[];
    readonly audienceMatchPolicy?: string;
  };
}

interface Written {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly jwt?: readonly (WrittenIssuer & Partial<MappingSettings>)[];
  readonly anonymous?: { readonly enabled?: boolean; readonly conditions?: readonly { readonly path?: string }[] };
}

const versions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);
const maxIssuers = 64;

/**
 * Reads an AuthenticationConfiguration (apiserver.config.k8s.io/v1, KEP-3331).
 * @throws Error that names everything wrong with it, by path.
 */
export function readAuthenticationConfiguration(
  text: string,
  { ownIssuers }: { readonly ownIssuers: readonly string[] },
): AuthenticationRules {
  const written = parseYaml(text) as Written | null;
  if (written?.kind !== 'AuthenticationConfiguration' || !versions.includes(written.apiVersion ?? ''))
    throw new Error(`expected kind: AuthenticationConfiguration and one of ${versions.join(', ')}`);
  const problems: string[] = [];
  const { jwt = [], anonymous } = written;
  if (jwt.length > maxIssuers) problems.push(`jwt: Too many: ${jwt.length}: must have at most ${maxIssuers} items`);
  const seen = new Set<string>();
  const issuers = jwt.map((entry, index) => {
    const at = `jwt[${index}]`;
    const { url = '', audiences = [], discoveryURL, certificateAuthority } = entry.issuer ?? {};
    problems.push(...issuerProblems(entry, `${at}.issuer`, { seen, ownIssuers }), ...mappingProblems(entry, at));
    const { claimMappings = { username: {} }, claimValidationRules = [], userValidationRules = [] } = entry;
    const mapper = new ClaimMapper({ claimMappings, claimValidationRules, userValidationRules }, at, problems);
    return { settings: { url, audiences, discoveryUrl: discoveryURL, certificateAuthority }, mapper };
  });
  if (anonymous !== undefined && anonymous.enabled !== true && (anonymous.conditions ?? []).length > 0)
    problems.push('anonymous.conditions: Invalid value: enabled should be set to true when conditions are defined');
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  return { issuers, anonymous: anonymous === undefined ? undefined : anonymousCheck(anonymous) };
}

function anonymousCheck({ enabled, conditions = [] }: NonNullable<Written['anonymous']>): (path: string) => boolean {
  if (enabled !== true) return () => false;
  if (conditions.length === 0) return () => true;
  const paths = new Set(conditions.map(({ path }) => path ?? ''));
  return (path) => paths.has(path);
}

function* issuerProblems(
  { issuer = {} }: WrittenIssuer,
  at: string,
  { seen, ownIssuers }: { readonly seen: Set<string>; readonly ownIssuers: readonly string[] },
): Generator<string> {
  const { url = '', discoveryURL, audiences = [], audienceMatchPolicy = '' } = issuer;
  const quoted = JSON.stringify(url);
  if (url === '') yield `${at}.url: Required value: URL is required`;
  else if (!isHttps(url)) yield `${at}.url: Invalid value: ${quoted}: URL scheme must be https`;
  else if (seen.has(url)) yield `${at}.url: Duplicate value: ${quoted}`;
  else if (ownIssuers.includes(url))
    yield `${at}.url: Invalid value: ${quoted}: URL must not overlap with disallowed issuers: [${ownIssuers.join(' ')}]`;
  seen.add(url);
  if (discoveryURL !== undefined && discoveryURL !== '') {
    if (!isHttps(discoveryURL))
      yield `${at}.discoveryURL: Invalid value: ${JSON.stringify(discoveryURL)}: URL scheme must be https`;
    if (discoveryURL.replace(/\/$/, '') === url.replace(/\/$/, ''))
      yield `${at}.discoveryURL: Invalid value: ${JSON.stringify(discoveryURL)}: discoveryURL must be different from URL`;
  }
  if (audiences.length === 0)
    yield `${at}.audiences: Required value: at least one jwt[0].issuer.audiences is required`.replace(
      'jwt[0].issuer',
      at,
    );
  if (audiences.length > 1 && audienceMatchPolicy !== 'MatchAny')
    yield `${at}.audienceMatchPolicy: Invalid value: ${JSON.stringify(audienceMatchPolicy)}: audienceMatchPolicy must be MatchAny for multiple audiences`;
}

function isHttps(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}

function* mappingProblems({ claimMappings }: Partial<MappingSettings>, at: string): Generator<string> {
  const path = `${at}.claimMappings`;
  const { username = {}, groups, extra = [] } = claimMappings ?? { username: {} };
  if ((username.claim ?? '') === '' && (username.expression ?? '') === '')
    yield `${path}.username: Required value: claim or expression is required`;
  if ((username.claim ?? '') !== '' && (username.expression ?? '') !== '')
    yield `${path}.username: Invalid value: "": claim and expression can't both be set`;
  for (const [name, source] of [
    ['username', username],
    ['groups', groups],
  ] as const) {
    if ((source?.claim ?? '') !== '' && source?.prefix === undefined)
      yield `${path}.${name}.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing`;
  }
  for (const [index, { key = '' }] of extra.entries())
    if (!/^[a-z0-9.-]+\/[^\s]+$/.test(key))
      yield `${path}.extra[${index}].key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
}
