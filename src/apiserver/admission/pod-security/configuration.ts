import { type Policy, parsePolicy, privilegedPolicy } from './policy.ts';

/** PodSecurityConfiguration (pod-security.admission.config.k8s.io/v1). */
export interface PodSecurityConfiguration {
  /** What holds where a namespace's labels are silent. */
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly namespaces: readonly string[];
    readonly runtimeClasses: readonly string[];
  };
}

interface Written {
  readonly defaults?: Readonly<Record<string, string>>;
  readonly exemptions?: Partial<PodSecurityConfiguration['exemptions']>;
}

/** @throws Error when a default is no level or version. */
export function podSecurityConfiguration(configuration: unknown): PodSecurityConfiguration {
  const { defaults = {}, exemptions = {} } = (configuration ?? {}) as Written;
  const texts = Object.fromEntries(Object.entries(defaults).filter(([, text]) => text !== ''));
  const { policy, errors } = parsePolicy(
    { warn: 'privileged', ...texts },
    privilegedPolicy,
    (name) => `defaults.${name}`,
    '',
  );
  if (errors.length > 0)
    throw new Error(
      `PodSecurity configuration: ${errors.map(({ path, message }) => `${path}: ${message}`).join(', ')}`,
    );
  const { usernames = [], namespaces = [], runtimeClasses = [] } = exemptions;
  return { defaults: policy, exemptions: { usernames, namespaces, runtimeClasses } };
}
