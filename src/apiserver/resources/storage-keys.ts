/** Resources whose place in the store is not their plural name, as upstream lays it out in etcd. */
const unusual: Readonly<Record<string, string>> = {
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  '/nodes': 'minions',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
  'events.k8s.io/events': 'events',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
};

/** Where a built-in resource is kept, for example `/registry/pods/`; all its versions share the place. */
export function storageKeyPrefix(group: string, resource: string): string {
  return `/registry/${unusual[`${group}/${resource}`] ?? resource}/`;
}

/** Where a custom resource is kept: by group, because plural names repeat between groups. */
export function customStorageKeyPrefix(group: string, resource: string): string {
  return `/registry/${group}/${resource}/`;
}

/** The key below a resource's prefix. */
export function objectKey({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
