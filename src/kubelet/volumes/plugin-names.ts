import type { Volume } from '#kinds/generated/types/core_v1.ts';

/** Fields of a volume, and the names of upstream's plugins for them. */
const pluginNames: Readonly<Record<string, string>> = {
  configMap: 'kubernetes.io/configmap',
  downwardAPI: 'kubernetes.io/downward-api',
  emptyDir: 'kubernetes.io/empty-dir',
  hostPath: 'kubernetes.io/host-path',
  image: 'kubernetes.io/image',
  projected: 'kubernetes.io/projected',
  secret: 'kubernetes.io/secret',
};

/** As metrics call the kind of a volume; undefined for those that nodes do not have. */
export function pluginNameOf(volume: Volume): string | undefined {
  const field = Object.keys(volume).find((key) => Object.hasOwn(pluginNames, key));
  return field === undefined ? undefined : pluginNames[field];
}
