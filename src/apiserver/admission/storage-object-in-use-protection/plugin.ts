import type { AdmissionPlugin } from '../plugin.ts';

/** By resource; the controllers that take them off again know when nobody uses the object any more. */
const finalizers: Readonly<Record<string, string>> = {
  persistentvolumes: 'kubernetes.io/pv-protection',
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  volumeattributesclasses: 'kubernetes.io/vac-protection',
};

/** Volumes and claims stay as long as something uses them. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  operations: ['CREATE'],
  resources: ['/persistentvolumes', '/persistentvolumeclaims', 'storage.k8s.io/volumeattributesclasses'],
  mutate({ object, request }) {
    const finalizer = finalizers[request.resource.kind.resource];
    const { metadata } = object!;
    if (finalizer === undefined || metadata.finalizers?.includes(finalizer) === true) return;
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
