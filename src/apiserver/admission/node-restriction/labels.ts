/** Labels of Kubernetes' own that a node may set on itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const reservedDomain = 'node-restriction.kubernetes.io';

/** Those of the labels that a node may not set on itself, sorted. */
export function forbiddenLabels(keys: readonly string[]): readonly string[] {
  return keys.filter(isForbidden).sort();
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  if (isWithin(domain, reservedDomain)) return true;
  if (!isWithin(domain, 'kubernetes.io') && !isWithin(domain, 'k8s.io')) return false;
  return !ownLabels.has(key) && !ownDomains.some((own) => isWithin(domain, own));
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}

type Labels = Readonly<Record<string, string>>;

/** Labels that were added, changed or removed. */
export function changedLabels(labels: Labels, old: Labels): readonly string[] {
  return [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter((key) => labels[key] !== old[key]);
}
