import { parseDuration } from '#machinery/time.ts';
import { parseYaml } from '#machinery/yaml.ts';
import { type AuthorizationWebhookOptions, authorizerTypes } from './options.ts';

/** One authoriser of an AuthorizationConfiguration. */
export interface ConfiguredAuthorizer {
  readonly type: string;
  readonly name: string;
  readonly webhook?: AuthorizationWebhookOptions;
}

interface WrittenWebhook {
  readonly authorizedTTL?: string;
  readonly cacheAuthorizedRequests?: boolean;
  readonly unauthorizedTTL?: string;
  readonly cacheUnauthorizedRequests?: boolean;
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly matchConditionSubjectAccessReviewVersion?: string;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditions?: readonly { readonly expression?: string }[];
}

const versions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`);
const maxTimeoutMs = 30_000;

/**
 * Reads an AuthorizationConfiguration (apiserver.config.k8s.io/v1, KEP-3221).
 * @throws Error that names everything wrong with it, by path.
 */
export function readAuthorizationConfiguration(text: string): readonly ConfiguredAuthorizer[] {
  const written = parseYaml(text) as {
    readonly kind?: string;
    readonly apiVersion?: string;
    readonly authorizers?: readonly {
      readonly type?: string;
      readonly name?: string;
      readonly webhook?: WrittenWebhook;
    }[];
  } | null;
  if (written?.kind !== 'AuthorizationConfiguration' || !versions.includes(written.apiVersion ?? ''))
    throw new Error(`expected kind: AuthorizationConfiguration and one of ${versions.join(', ')}`);
  const { authorizers = [] } = written;
  const problems: string[] = [];
  if (authorizers.length === 0)
    problems.push('authorizers: Required value: at least one authorization mode must be defined');
  const seen = new Set<string>();
  const read = authorizers.map(({ type = '', name = '', webhook }, index) => {
    const at = `authorizers[${index}]`;
    if (!(authorizerTypes as readonly string[]).includes(type))
      problems.push(
        `${at}.type: Unsupported value: ${JSON.stringify(type)}: supported values: ${authorizerTypes.map((one) => JSON.stringify(one)).join(', ')}`,
      );
    else if (type !== 'Webhook' && seen.has(type))
      problems.push(`${at}.type: Duplicate value: ${JSON.stringify(type)}`);
    if (name === '') problems.push(`${at}.name: Required value`);
    else if (seen.has(`name ${name}`)) problems.push(`${at}.name: Duplicate value: ${JSON.stringify(name)}`);
    seen.add(type).add(`name ${name}`);
    if (type !== 'Webhook') {
      if (webhook !== undefined) problems.push(`${at}.webhook: Invalid value: may only be specified when type=Webhook`);
      return { type, name };
    }
    return { type, name, webhook: webhookOptions(webhook ?? {}, name, `${at}.webhook`, problems) };
  });
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  return read;
}

function webhookOptions(
  written: WrittenWebhook,
  name: string,
  at: string,
  problems: string[],
): AuthorizationWebhookOptions {
  const { connectionInfo = {}, failurePolicy = '', subjectAccessReviewVersion = '' } = written;
  const duration = (field: 'timeout' | 'authorizedTTL' | 'unauthorizedTTL', fallback: string): number => {
    const parsed = parseDuration(written[field] ?? fallback);
    if (parsed !== undefined && parsed > 0) return parsed;
    problems.push(`${at}.${field}: Invalid value: ${JSON.stringify(written[field])}: must be greater than zero`);
    return 1;
  };
  const timeoutMs = duration('timeout', '30s');
  if (timeoutMs > maxTimeoutMs)
    problems.push(
      `${at}.timeout: Invalid value: ${JSON.stringify(written.timeout)}: must be less than or equal to 30s`,
    );
  if (failurePolicy !== 'NoOpinion' && failurePolicy !== 'Deny')
    problems.push(
      `${at}.failurePolicy: Unsupported value: ${JSON.stringify(failurePolicy)}: supported values: "Deny", "NoOpinion"`,
    );
  if (subjectAccessReviewVersion !== 'v1' && subjectAccessReviewVersion !== 'v1beta1')
    problems.push(
      `${at}.subjectAccessReviewVersion: Unsupported value: ${JSON.stringify(subjectAccessReviewVersion)}: supported values: "v1", "v1beta1"`,
    );
  if (connectionInfo.type !== 'KubeConfigFile' || (connectionInfo.kubeConfigFile ?? '') === '')
    problems.push(`${at}.connectionInfo: Required value: type KubeConfigFile with a kubeConfigFile`);
  const authorizedTtlMs = written.cacheAuthorizedRequests === false ? 0 : duration('authorizedTTL', '5m');
  const unauthorizedTtlMs = written.cacheUnauthorizedRequests === false ? 0 : duration('unauthorizedTTL', '30s');
  return {
    name,
    configFile: connectionInfo.kubeConfigFile ?? '',
    version: subjectAccessReviewVersion === 'v1beta1' ? 'v1beta1' : 'v1',
    authorizedTtlMs,
    unauthorizedTtlMs,
    timeoutMs,
    failurePolicy: failurePolicy === 'Deny' ? 'Deny' : 'NoOpinion',
    matchConditions: (written.matchConditions ?? []).map(({ expression = '' }) => expression),
  };
}
