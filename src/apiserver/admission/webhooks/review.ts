import type { ApiObject, GroupVersionKind, JsonObject } from '#machinery/meta.ts';
import type { Operation } from '../../registry/operation.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { requestNamespace } from '../matching/selectors.ts';
import type { ObjectsView } from '../objects.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** The request of an AdmissionReview (admission.k8s.io/v1), without its objects. */
export interface RequestDescription {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly subResource?: string;
  readonly requestKind: GroupVersionKind;
  readonly requestResource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly requestSubResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: string;
  readonly userInfo: JsonObject;
  readonly dryRun: boolean;
  readonly options: JsonObject | null;
}

export interface ReviewSubject {
  readonly uid: string;
  readonly attributes: AdmissionAttributes;
  /** The resource in whose version the webhook wants the objects. */
  readonly resource: ServedResource;
  readonly view: ObjectsView;
}

const gvk = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });
const gvr = ({ kind: { group, version, resource } }: ServedResource) => ({ group, version, resource });

/** What webhooks and CEL expressions are told of a request. Empty texts are left out, as upstream does. */
function describeRequest({ uid, attributes, resource, view }: ReviewSubject): RequestDescription {
  const { operation, request, objectKind } = attributes;
  const name = requestName(attributes);
  const namespace = requestNamespace(attributes);
  return {
    uid,
    kind: gvk(view.kind),
    resource: gvr(resource),
    ...(request.subresource === '' ? {} : { subResource: request.subresource }),
    requestKind: gvk(objectKind ?? request.resource.kind),
    requestResource: gvr(request.resource),
    ...(request.subresource === '' ? {} : { requestSubResource: request.subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: userInfo(request),
    dryRun: request.options.dryRun === true,
    options: optionsOf(attributes),
  };
}

/** The name in the path or the object; a generated one is not known while the object can still change. */
function requestName({ request, object }: AdmissionAttributes): string {
  return request.name !== '' ? request.name : (object?.metadata?.name ?? '');
}

function userInfo({ user: { name, uid, groups, extra } }: Operation): JsonObject {
  return {
    username: name,
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function optionsOf({ operation, request }: AdmissionAttributes): JsonObject | null {
  const { dryRun, fieldManager, fieldValidation, deletion } = request.options;
  const apiVersion = 'meta.k8s.io/v1';
  const all = dryRun === true ? { dryRun: ['All'] } : {};
  if (operation === 'CONNECT') return null;
  if (operation === 'DELETE') return { kind: 'DeleteOptions', apiVersion, ...(deletion as JsonObject), ...all };
  return {
    kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions',
    apiVersion,
    ...all,
    ...(fieldManager === undefined || fieldManager === '' ? {} : { fieldManager }),
    ...(fieldValidation === undefined ? {} : { fieldValidation }),
  };
}

/** Versions of AdmissionReview that this server speaks. */
export type ReviewVersion = 'v1' | 'v1beta1';

/** The first version that both sides know. @throws Error when there is none. */
export function reviewVersion(accepted: readonly string[]): ReviewVersion {
  for (const version of accepted) if (version === 'v1' || version === 'v1beta1') return version;
  throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)');
}

/** The document that a webhook is sent. */
export function writeReview(version: ReviewVersion, subject: ReviewSubject): object {
  const { view } = subject;
  const shown = (object: ApiObject | undefined): ApiObject | null => object ?? null;
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: { ...describeRequest(subject), object: shown(view.object), oldObject: shown(view.oldObject) },
  };
}
