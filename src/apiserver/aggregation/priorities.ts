/** Where a group stands among the groups, and a version among its group's: higher comes first. */
export interface Priority {
  readonly group: number;
  readonly version: number;
}

type Row = readonly [group: number, versions: Readonly<Record<string, number>>];

/** As the official server registers its own groups. */
const builtin: Readonly<Record<string, Row>> = {
  '': [18000, { v1: 1 }],
  apps: [17800, { v1: 15 }],
  'events.k8s.io': [17750, { v1: 15 }],
  'authentication.k8s.io': [17700, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'authorization.k8s.io': [17600, { v1: 15 }],
  autoscaling: [17500, { v2: 30, v1: 15 }],
  batch: [17400, { v1: 15 }],
  'certificates.k8s.io': [17300, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'networking.k8s.io': [17200, { v1: 15, v1beta1: 9 }],
  policy: [17100, { v1: 15 }],
  'rbac.authorization.k8s.io': [17000, { v1: 15 }],
  'storage.k8s.io': [16800, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'apiextensions.k8s.io': [16700, { v1: 15 }],
  'admissionregistration.k8s.io': [16700, { v1: 15, v1beta1: 12, v1alpha1: 9 }],
  'scheduling.k8s.io': [16600, { v1: 15, v1alpha2: 9 }],
  'coordination.k8s.io': [16500, { v1: 15, v1beta1: 13, v1alpha2: 12 }],
  'node.k8s.io': [16300, { v1: 15 }],
  'discovery.k8s.io': [16200, { v1: 15 }],
  'flowcontrol.apiserver.k8s.io': [16100, { v1: 21 }],
  'internal.apiserver.k8s.io': [16000, { v1alpha1: 9 }],
  'resource.k8s.io': [16200, { v1: 21, v1beta2: 15, v1beta1: 9, v1alpha3: 1 }],
  'storagemigration.k8s.io': [15800, { v1beta1: 9 }],
};

/** The API of APIServices itself is nobody's to register. */
const registry: Row = [20000, { v1: 1000 }];
const custom: Priority = { group: 1000, version: 100 };

/** The priority of a group and version that this server serves itself. */
export function localPriority(group: string, version: string): Priority {
  const row = group === 'apiregistration.k8s.io' ? registry : builtin[group];
  return row === undefined ? custom : { group: row[0], version: row[1][version] ?? 1 };
}

/** Whether these versions belong to the server itself rather than to definitions. */
export function isBuiltinGroup(group: string): boolean {
  return Object.hasOwn(builtin, group);
}

/** `v2` before `v1` before `v1beta2` before `v1alpha1` before any other word. */
export function compareVersions(left: string, right: string): number {
  const [one, other] = [rankOf(left), rankOf(right)];
  for (const [index, part] of one.entries()) {
    const difference = other[index]! - part;
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

const stages: Readonly<Record<string, number>> = { '': 3, beta: 2, alpha: 1 };

function rankOf(version: string): readonly number[] {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  return match === null ? [0, 0, 0] : [stages[match[2] ?? '']!, Number(match[1]), Number(match[3] ?? 0)];
}
