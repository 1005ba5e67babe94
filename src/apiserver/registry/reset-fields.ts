import { apiVersionOf } from '#machinery/meta.ts';
import type { ServedResource } from '../resources/resource.ts';

/** Names of fields from the root. */
export type Paths = readonly (readonly string[])[];

const none: Paths = [];
const status: Paths = [['status']];
const spec: Paths = [['spec']];
const specAndMetadata: Paths = [['spec'], ['metadata']];

/** Kinds of which a door leaves more, or other parts, alone than the usual one: by `group/resource` and subresource. */
const special: Readonly<Record<string, Readonly<Record<string, Paths>>>> = {
  '/pods': { status: [['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences']] },
  'apps/deployments': { status: [['spec'], ['metadata', 'labels']] },
  'certificates.k8s.io/certificatesigningrequests': {
    '': [['spec'], ['status']],
    status: [['spec'], ['status', 'conditions']],
    approval: [['spec'], ['status', 'certificate']],
  },
  'admissionregistration.k8s.io/validatingadmissionpolicies': { status: specAndMetadata },
  'apiregistration.k8s.io/apiservices': { status: specAndMetadata },
  'certificates.k8s.io/podcertificaterequests': { status: specAndMetadata },
  'flowcontrol.apiserver.k8s.io/flowschemas': { status: specAndMetadata },
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': { status: specAndMetadata },
  'networking.k8s.io/servicecidrs': { status: specAndMetadata },
  'resource.k8s.io/resourceclaims': { status: specAndMetadata },
  'storage.k8s.io/volumeattachments': { status: specAndMetadata },
  'storagemigration.k8s.io/storageversionmigrations': { status: specAndMetadata },
};

/** The parts of an object that a write through one of its doors leaves alone, so that its writer never owns them. */
export function resetFieldsOf(resource: ServedResource, subresource: string): Paths {
  const { kind, groupResource, custom, subresources } = resource;
  if (custom !== undefined && subresource === 'status') return custom.version(apiVersionOf(kind))?.statusResets ?? none;
  const own = special[groupResource]?.[subresource];
  if (own !== undefined) return own;
  if (subresource === 'status') return spec;
  return subresources.has('status') ? status : none;
}

const changeableMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/** What of the metadata a write through a door leaves as it was. */
export function resetMetadataOf(
  resource: ServedResource,
  subresource: string,
): readonly (typeof changeableMetadata)[number][] {
  const paths = resetFieldsOf(resource, subresource).filter(([first]) => first === 'metadata');
  return changeableMetadata.filter((field) => paths.some(([, name = field]) => name === field));
}
