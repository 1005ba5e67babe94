import { CSIDriver, Node, Pod } from '#kinds/generated/handles.ts';
import type { TokenRequest } from '#kinds/generated/types/authentication_v1.ts';
import type { CertificateSigningRequest } from '#kinds/generated/types/certificates_v1.ts';
import type { Node as NodeObject, PersistentVolumeClaim, Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import type { ResourceSlice } from '#kinds/generated/types/resource_v1.ts';
import type { CSIDriver as CSIDriverObject } from '#kinds/generated/types/storage_v1.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { noOpinion, resourceAttributes } from '../../authorization/authorizer.ts';
import { nodeNameOf } from '../../authorization/node/authorizer.ts';
import { isMirrorPod, referencesOf } from '../../authorization/node/references.ts';
import { readCertificateRequest } from '../../certificates/requests.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, type AdmissionPlugin, lookUp, refusal } from '../plugin.ts';
import { changedLabels, forbiddenLabels } from './labels.ts';

/** A write by a node, and what it is about. */
interface NodeWrite {
  readonly node: string;
  readonly attributes: AdmissionAttributes;
  readonly registry: Registry;
  readonly name: string;
  readonly namespace: string;
}

/** Keeps node agents to their own objects: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction */
export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  resources: [
    '/pods',
    '/pods/status',
    '/pods/resize',
    '/pods/ephemeralcontainers',
    '/pods/eviction',
    '/nodes',
    '/nodes/status',
    '/persistentvolumeclaims/status',
    '/persistentvolumeclaims',
    '/serviceaccounts/token',
    'coordination.k8s.io/leases',
    'storage.k8s.io/csinodes',
    'resource.k8s.io/resourceslices',
    'certificates.k8s.io/certificatesigningrequests',
  ],
  validate(attributes, registry) {
    const { user, resource, subresource, name, namespace } = attributes.request;
    const node = nodeNameOf(user);
    if (node === undefined) return undefined;
    if (node === '') throw refusal(attributes, `could not determine node from user ${JSON.stringify(user.name)}`);
    const path = `${resource.kind.group}/${resource.kind.resource}${subresource === '' ? '' : `/${subresource}`}`;
    // Not everything that is sent has metadata.
    const { metadata } = (attributes.object ?? attributes.oldObject ?? {}) as Partial<ApiObject>;
    const own = metadata?.name ?? '';
    return checks[path]?.({ node, attributes, registry, name: name === '' ? own : name, namespace });
  },
};

const checks: Readonly<Record<string, (write: NodeWrite) => void | Promise<void>>> = {
  '/pods': checkPod,
  '/pods/status': checkPodStatus,
  '/pods/resize': forbidPodChange,
  '/pods/ephemeralcontainers': forbidPodChange,
  '/pods/eviction': checkEviction,
  '/nodes': checkNode,
  '/nodes/status': checkNode,
  '/persistentvolumeclaims': checkClaim,
  '/persistentvolumeclaims/status': checkClaim,
  '/serviceaccounts/token': checkToken,
  'coordination.k8s.io/leases': checkLease,
  'storage.k8s.io/csinodes': checkCsiNode,
  'resource.k8s.io/resourceslices': checkSlice,
  'certificates.k8s.io/certificatesigningrequests': checkCertificate,
};

function refuse({ attributes }: NodeWrite, why: string): never {
  throw refusal(attributes, why);
}

function checkPod(write: NodeWrite): void {
  const { attributes, node } = write;
  switch (attributes.operation) {
    case 'CREATE':
      return checkMirrorPod(write);
    case 'DELETE': {
      const pod = attributes.oldObject as PodObject | undefined;
      if (pod !== undefined && pod.spec.nodeName !== node)
        refuse(write, `node "${node}" can only delete pods with spec.nodeName set to itself`);
      return;
    }
    default:
      refuse(
        write,
        `unexpected operation "${attributes.operation}", node "${node}" can only create and delete mirror pods`,
      );
  }
}

/** What a node may create is an image of what it runs by itself: it must not let the node at anything new. */
function checkMirrorPod(write: NodeWrite): void {
  const { node, attributes, registry } = write;
  const pod = attributes.object as PodObject | undefined;
  if (pod === undefined) return;
  const { spec, metadata } = pod;
  if (!isMirrorPod(pod))
    refuse(
      write,
      `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`,
    );
  if (spec.nodeName !== node) refuse(write, `node "${node}" can only create pods with spec.nodeName set to itself`);
  const owners = metadata.ownerReferences ?? [];
  if (owners.length > 1)
    refuse(write, `node "${node}" can only create pods with a single owner reference set to itself`);
  if (owners.length === 0) refuse(write, `node "${node}" can only create pods with an owner reference set to itself`);
  const [owner] = owners;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    refuse(write, `node "${node}" can only create pods with an owner reference set to itself`);
  if (owner?.controller !== true)
    refuse(write, `node "${node}" can only create pods with a controller owner reference set to itself`);
  if (owner?.blockOwnerDeletion === true)
    refuse(write, `node "${node}" must not set blockOwnerDeletion on an owner reference`);
  const uid = lookUp(registry, Node, { name: node })?.metadata.uid;
  if (owner?.uid !== uid) refuse(write, `node ${node} UID mismatch: expected ${owner?.uid} got ${uid}`);
  if ((spec.serviceAccountName ?? '') !== '')
    refuse(write, `node "${node}" can not create pods that reference a service account`);
  const names: Readonly<Record<string, string>> = {
    secrets: 'secrets',
    configmaps: 'configmaps',
    persistentvolumeclaims: 'persistentvolumeclaims',
    resourceclaims: 'resourceclaims',
  };
  for (const reference of referencesOf(pod)) {
    const kind = names[reference.slice(0, reference.indexOf('/'))];
    if (kind !== undefined) refuse(write, `node "${node}" can not create pods that reference ${kind}`);
  }
}

function checkPodStatus(write: NodeWrite): void {
  const { node, attributes } = write;
  if (attributes.operation !== 'UPDATE') refuse(write, `unexpected operation "${attributes.operation}"`);
  const old = attributes.oldObject as PodObject;
  const pod = attributes.object as PodObject | undefined;
  if (old.spec.nodeName !== node)
    refuse(write, `node "${node}" can only update pod status for pods with spec.nodeName set to itself`);
  if (!equalValues(old.metadata.labels ?? {}, pod?.metadata.labels ?? {}))
    refuse(write, `node "${node}" cannot update labels through pod status`);
  if (!equalValues(old.status?.resourceClaimStatuses, pod?.status?.resourceClaimStatuses))
    refuse(write, `node "${node}" cannot update resource claim statuses`);
}

function forbidPodChange(write: NodeWrite): void {
  refuse(
    write,
    `unexpected operation "${write.attributes.operation}", node "${write.node}" can only create and delete mirror pods`,
  );
}

function checkEviction(write: NodeWrite): void {
  const { node, registry, namespace, name } = write;
  if (name === '') refuse(write, 'could not determine pod from request data');
  const pod = lookUp(registry, Pod, { namespace, name });
  if (pod !== undefined && pod.spec.nodeName !== node)
    refuse(write, `node "${node}" can only evict pods with spec.nodeName set to itself`);
}

function checkNode(write: NodeWrite): void {
  const { node, attributes, name } = write;
  const { operation, oldObject } = attributes;
  const object = attributes.object as NodeObject | undefined;
  const old = oldObject as NodeObject | undefined;
  if (operation === 'CREATE' && object !== undefined) {
    const labels = forbiddenLabels(Object.keys(object.metadata.labels ?? {}));
    if (labels.length > 0)
      refuse(write, `node "${node}" is not allowed to set the following labels: ${labels.join(', ')}`);
    if (name !== '' && name !== node) refuse(write, `node "${node}" is not allowed to modify node "${name}"`);
  }
  if (name !== node) refuse(write, `node "${node}" is not allowed to modify node "${name}"`);
  if (operation !== 'UPDATE' || object === undefined || old === undefined) return;
  // Taints keep pods away that a node may want to lure.
  if (!equalValues(object.spec?.taints ?? [], old.spec?.taints ?? []))
    refuse(write, `node "${node}" is not allowed to modify taints`);
  const labels = forbiddenLabels(changedLabels(object.metadata.labels ?? {}, old.metadata.labels ?? {}));
  if (labels.length > 0) refuse(write, `is not allowed to modify labels: ${labels.join(', ')}`);
  if (!equalValues(object.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
    refuse(write, `node "${node}" is not allowed to modify ownerReferences`);
}

/** Growing a volume is noted in the claim's status; a node writes nothing else there. */
function checkClaim(write: NodeWrite): void {
  const { node, attributes } = write;
  const { subresource } = attributes.request;
  if (subresource !== 'status') refuse(write, `may only update PVC status`);
  const rest = (claim: ApiObject): object => {
    const { status = {}, metadata, ...others } = claim as PersistentVolumeClaim;
    const {
      capacity: _size,
      conditions: _conditions,
      allocatedResources: _wanted,
      allocatedResourceStatuses: _states,
      ...kept
    } = status;
    const { managedFields: _managers, ...meta } = metadata;
    return { ...others, metadata: meta, status: kept };
  };
  const { object, oldObject } = attributes;
  if (object === undefined || oldObject === undefined || equalValues(rest(object), rest(oldObject))) return;
  refuse(
    write,
    `node "${node}" is not allowed to update fields other than status.capacity, status.conditions and status.allocatedResources`,
  );
}

async function checkToken(write: NodeWrite): Promise<void> {
  const { node, attributes, registry, namespace } = write;
  const ref = (attributes.object as unknown as TokenRequest | undefined)?.spec?.boundObjectRef;
  if (ref === undefined || ref.apiVersion !== 'v1' || ref.kind !== 'Pod' || (ref.name ?? '') === '')
    refuse(write, `node requested token not bound to a pod`);
  if ((ref.uid ?? '') === '') refuse(write, `node requested token with a pod binding without a uid`);
  const pod = lookUp(registry, Pod, { namespace, name: ref.name ?? '' });
  if (pod === undefined) refuse(write, `pod "${ref.name}" not found`);
  if (pod.metadata.uid !== ref.uid)
    refuse(
      write,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (pod.spec.nodeName !== node) refuse(write, `node requested token bound to a pod scheduled on a different node`);
  await checkAudiences(write, pod);
}

/** A node asks for tokens that its pods or their volumes' drivers name, or that somebody allowed it to ask for. */
async function checkAudiences(write: NodeWrite, pod: PodObject): Promise<void> {
  const { attributes, registry, namespace, name, node } = write;
  if (!registry.featureEnabled('ServiceAccountNodeAudienceRestriction')) return;
  const asked = (attributes.object as unknown as TokenRequest).spec?.audiences ?? [];
  const named = new Set(podAudiences(registry, pod));
  for (const audience of asked.length === 0 ? [''] : asked) {
    if (named.has(audience)) continue;
    const verb = 'request-serviceaccounts-token-audience';
    const { user } = attributes.request;
    const question = resourceAttributes({ user, verb, version: 'v1', resource: audience, namespace, name });
    const decision = audience === '' ? noOpinion : await registry.authorizer.authorize(question);
    if (decision.outcome !== 'allow')
      refuse(
        write,
        `audience ${JSON.stringify(audience)} not found in pod spec volume, ${node} is not authorized to request tokens for this audience`,
      );
  }
}

function* podAudiences(registry: Registry, { spec }: PodObject): Generator<string> {
  for (const { projected, csi } of spec.volumes ?? []) {
    for (const { serviceAccountToken } of projected?.sources ?? [])
      if (serviceAccountToken !== undefined) yield serviceAccountToken.audience ?? '';
    const driver = csi === undefined ? undefined : lookUp(registry, CSIDriver, { name: csi.driver });
    for (const { audience } of driver?.spec.tokenRequests ?? []) yield audience;
  }
  // Which driver is behind a claim is known only by its volume: any driver's audience will do.
  if (!(spec.volumes ?? []).some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral)) return;
  for (const { value } of registry.resources.of(CSIDriver).storage!.cache.entries())
    for (const { audience } of (value.object as CSIDriverObject).spec.tokenRequests ?? []) yield audience;
}

function checkLease(write: NodeWrite): void {
  const { node, name, namespace } = write;
  if (namespace !== 'kube-node-lease')
    refuse(write, `can only access leases in the "kube-node-lease" system namespace`);
  if (name !== node) refuse(write, `can only access node lease with the same name as the requesting node`);
}

function checkCsiNode(write: NodeWrite): void {
  if (write.name !== write.node) refuse(write, 'can only access CSINode with the same name as the requesting node');
}

function checkSlice(write: NodeWrite): void {
  const { node, attributes } = write;
  const slice = attributes.object as ResourceSlice | undefined;
  if (attributes.operation === 'CREATE' && slice?.spec.nodeName !== node)
    refuse(write, 'can only create ResourceSlice with the same NodeName as the requesting node');
}

const nodeSigners = new Set(['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']);

async function checkCertificate(write: NodeWrite): Promise<void> {
  const { node, attributes } = write;
  const request = attributes.object as CertificateSigningRequest | undefined;
  if (attributes.operation !== 'CREATE' || request === undefined || !nodeSigners.has(request.spec.signerName)) return;
  const { commonName } = await readCertificateRequest(new TextDecoder().decode(decodeBase64(request.spec.request)));
  if (commonName !== `system:node:${node}`)
    refuse(write, 'can only create a node CSR with CN=system:node:'.concat(node));
}
