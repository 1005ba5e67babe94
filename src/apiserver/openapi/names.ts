/** Groups whose types live elsewhere than under `io.k8s.api`. */
const homes: Readonly<Record<string, string>> = {
  meta: 'io.k8s.apimachinery.pkg.apis',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis',
  apiregistration: 'io.k8s.kube-aggregator.pkg.apis',
};

/** The published name of a type: `core.v1.Pod` is `io.k8s.api.core.v1.Pod`. */
export function publishedName(name: string): string {
  const [first = ''] = name.split('.');
  if (name === 'resource.Quantity') return 'io.k8s.apimachinery.pkg.api.resource.Quantity';
  if (name === 'intstr.IntOrString') return 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
  if (first === 'runtime' || first === 'version') return `io.k8s.apimachinery.pkg.${name}`;
  return `${homes[first] ?? 'io.k8s.api'}.${name}`;
}

/** The published name of a custom kind: its group backwards. */
export function customName({
  group,
  version,
  kind,
}: {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}
