import { Node, Pod } from '#kinds/generated/handles.ts';
import type { TokenRequest } from '#kinds/generated/types/authentication_v1.ts';
import type { Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import { conflict, fieldError, invalid, notFound } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import type { TokenClaims } from '../authentication/service-account-tokens.ts';
import type { Operation } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { checkAdmission, type SubresourceHandler } from './handler.ts';

/** The registry has made sure that there is a spec. */
type Asked = TokenRequest & { readonly spec: NonNullable<TokenRequest['spec']> };

const tokenRequestKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
const defaultLifetimeSeconds = 3600;
const minLifetimeSeconds = 600;

/** A token for a service account, for certain audiences and a limited time, bound to a pod where one is named. */
export const token: SubresourceHandler = {
  async create(registry, operation) {
    const { resource, name, namespace } = operation;
    const request = operation.body as Asked;
    const account = resource.storage!.cache.get(objectKey({ namespace, name }))?.value.object;
    if (account === undefined) throw notFound(resource.kind, name);
    await checkAdmission(registry, operation, tokenRequestKind);
    const lifetimeSeconds = request.spec.expirationSeconds ?? defaultLifetimeSeconds;
    if (lifetimeSeconds < minLifetimeSeconds) {
      const error = fieldError.invalid(
        'spec.expirationSeconds',
        lifetimeSeconds,
        'may not specify a duration less than 10 minutes',
      );
      throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, [error]);
    }
    const named = request.spec.audiences ?? [];
    const audiences = named.length === 0 ? [registry.tokens.issuer] : named;
    const issued = registry.tokens.issue({
      audiences,
      lifetimeSeconds,
      kubernetes: {
        namespace,
        serviceaccount: { name, uid: account.metadata.uid! },
        ...boundTo(registry, operation, request),
      },
    });
    const answer = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: formatTime(registry.environment.clock.now()) },
      spec: { ...request.spec, audiences, expirationSeconds: lifetimeSeconds },
      status: { token: issued.token, expirationTimestamp: formatTime(issued.expiresAtMs) },
    };
    return { type: 'plain', object: answer as unknown as JsonObject, created: true };
  },
};

/** @throws ApiError when the object that the token is to die with is not there, or is another. */
function boundTo(registry: Registry, { namespace }: Operation, { spec }: Asked): Partial<TokenClaims['kubernetes.io']> {
  const ref = spec.boundObjectRef;
  if (ref === undefined || ref.kind !== 'Pod') return {};
  const name = ref.name ?? '';
  const pod = registry.resources.of(Pod).storage!.cache.get(objectKey({ namespace, name }))?.value.object as
    | PodObject
    | undefined;
  if (pod === undefined) throw notFound(Pod, name);
  const { uid = '' } = pod.metadata;
  if (ref.uid !== undefined && ref.uid !== uid)
    throw conflict(
      Pod,
      name,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return { pod: { name, uid }, ...nodeOf(registry, pod.spec.nodeName) };
}

/** Which node the pod is on, so that a token that turns up elsewhere can be told (KEP-4193). */
function nodeOf(registry: Registry, name: string | undefined): Partial<TokenClaims['kubernetes.io']> {
  if (name === undefined) return {};
  const uid = registry.resources.of(Node).storage!.cache.get(name)?.value.object.metadata.uid;
  return { node: uid === undefined ? { name } : { name, uid } };
}
