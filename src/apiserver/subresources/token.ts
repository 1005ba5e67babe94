import { randomUuid } from '#base/random.ts';
import { Node, Pod, Secret } from '#kinds/generated/handles.ts';
import type { BoundObjectReference, TokenRequest } from '#kinds/generated/types/authentication_v1.ts';
import type { Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { badRequest, conflict, type FieldError, fieldError, invalid, notFound } from '#machinery/errors.ts';
import { type ApiObject, type JsonObject, type Mutable, type ObjectMeta, parseApiVersion } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import type { TokenClaims } from '../authentication/service-account-tokens.ts';
import { checkNamespace } from '../registry/location.ts';
import { trackOwnership } from '../registry/managed-fields.ts';
import type { Operation } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { checkAdmission, type SubresourceHandler } from './handler.ts';

/** The registry has made sure that there is a spec. */
type Asked = TokenRequest & { readonly spec: NonNullable<TokenRequest['spec']> };

const tokenRequestKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
const schema = schemaNamed('authentication.v1.TokenRequest');
const defaultLifetimeSeconds = 3600;
const minLifetimeSeconds = 600;
const maxLifetimeSeconds = 2 ** 32;
/** What the ServiceAccount plugin asks for in pods: an hour and a few seconds, so that such requests can be told. */
const injectedLifetimeSeconds = 3607;
/** How long such tokens really live, for clients that read their token only once. */
const extendedLifetimeSeconds = 365 * 24 * 3600;

const tokenRequest = { group: 'authentication.k8s.io', kind: 'TokenRequest' };

/** A token for a service account, for certain audiences and a limited time, bound to what is named (KEP-1205). */
export const token: SubresourceHandler = {
  async create(registry, operation) {
    const { resource, name, namespace } = operation;
    const request = operation.body as Asked;
    checkName(operation, request);
    const account = resource.storage!.cache.get(objectKey({ namespace, name }))?.value.object;
    if (account === undefined) throw notFound(resource.kind, name);
    await checkAdmission(registry, operation, tokenRequestKind);
    const lifetimeSeconds = request.spec.expirationSeconds ?? defaultLifetimeSeconds;
    check(lifetimeSeconds);
    checkAccount(registry, operation, request, account);
    const named = request.spec.audiences ?? [];
    const audiences = named.length === 0 ? registry.authenticator.apiAudiences : named;
    const issued = issue(registry, operation, { request, account, audiences, lifetimeSeconds });
    const answer = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: await metadataOf(registry, operation, {
        ...request,
        spec: { expirationSeconds: lifetimeSeconds, ...request.spec },
      }),
      spec: { ...request.spec, audiences, expirationSeconds: issued.lifetimeSeconds },
      status: { token: issued.token, expirationTimestamp: formatTime(issued.saidToExpireAtMs) },
    };
    operation.annotate?.('authentication.kubernetes.io/issued-credential-id', `JTI=${issued.id}`);
    return { type: 'plain', object: answer as unknown as JsonObject, created: true };
  },
};

/** Nobody keeps a request, but it is told of as if somebody did. */
async function metadataOf(registry: Registry, operation: Operation, request: Asked): Promise<ObjectMeta> {
  const { name, namespace } = operation;
  const { clock, random } = registry.environment;
  const metadata = { name, namespace, uid: randomUuid(random), creationTimestamp: formatTime(clock.now()) };
  const object = { ...request, metadata } as unknown as Mutable<ApiObject>;
  const resource = { ...operation.resource, kind: { ...operation.resource.kind, ...tokenRequestKind }, schema };
  await trackOwnership(registry, { ...operation, resource }, object, undefined);
  return object.metadata;
}

function checkName(operation: Operation, { metadata = {} }: Asked): void {
  const { name } = operation;
  checkNamespace(operation, metadata);
  if ((metadata.name ?? '') === '' || metadata.name === name) return;
  const detail = 'must match the service account name if specified';
  throw invalid(tokenRequest, name, [fieldError.invalid('metadata.name', metadata.name, detail)]);
}

function check(lifetimeSeconds: number): void {
  const errors: FieldError[] = [];
  const path = 'spec.expirationSeconds';
  if (lifetimeSeconds < minLifetimeSeconds)
    errors.push(fieldError.invalid(path, lifetimeSeconds, 'may not specify a duration less than 10 minutes'));
  if (lifetimeSeconds > maxLifetimeSeconds)
    errors.push(fieldError.invalid(path, lifetimeSeconds, 'may not specify a duration larger than 2^32 seconds'));
  if (errors.length > 0) throw invalid(tokenRequest, '', errors);
}

function checkAccount(registry: Registry, operation: Operation, { metadata }: Asked, account: ApiObject): void {
  const { name, resource } = operation;
  const { uid } = metadata ?? {};
  if (!registry.featureEnabled('TokenRequestServiceAccountUIDValidation') || (uid ?? '') === '') return;
  if (uid !== account.metadata.uid)
    throw conflict(
      resource.kind,
      name,
      `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`,
    );
}

function issue(
  registry: Registry,
  operation: Operation,
  asked: {
    readonly request: Asked;
    readonly account: ApiObject;
    readonly audiences: readonly string[];
    readonly lifetimeSeconds: number;
  },
): {
  readonly token: string;
  readonly id: string;
  readonly saidToExpireAtMs: number;
  readonly lifetimeSeconds: number;
} {
  const { request, account, audiences } = asked;
  const { namespace, name } = operation;
  const { maxTokenLifetimeSeconds = 0, extendsTokenExpiration = true } = registry.tokenPolicy;
  const limited =
    maxTokenLifetimeSeconds > 0 ? Math.min(asked.lifetimeSeconds, maxTokenLifetimeSeconds) : asked.lifetimeSeconds;
  const bound = boundTo(registry, operation, request.spec.boundObjectRef);
  const isExtended =
    extendsTokenExpiration &&
    limited === injectedLifetimeSeconds &&
    bound.pod !== undefined &&
    audiences.every((audience) => registry.authenticator.apiAudiences.includes(audience));
  const saidToExpireAtMs = (Math.floor(registry.environment.clock.now() / 1000) + limited) * 1000;
  const issued = registry.tokens.issue({
    audiences,
    lifetimeSeconds: isExtended ? extendedLifetimeSeconds : limited,
    kubernetes: {
      namespace,
      serviceaccount: { name, uid: account.metadata.uid! },
      ...bound,
      ...(isExtended ? { warnafter: saidToExpireAtMs / 1000 } : {}),
    },
  });
  return { token: issued.token, id: issued.id, saidToExpireAtMs, lifetimeSeconds: limited };
}

/** @throws ApiError when the object that the token is to die with is not there, or is another. */
function boundTo(
  registry: Registry,
  { namespace, name: account }: Operation,
  ref: BoundObjectReference | undefined,
): Partial<TokenClaims['kubernetes.io']> {
  if (ref === undefined) return {};
  const { group } = parseApiVersion(ref.apiVersion ?? '');
  switch (`${group}/${ref.kind ?? ''}`) {
    case '/Pod': {
      const pod = found(registry, Pod, namespace, ref) as PodObject;
      if ((pod.spec.serviceAccountName ?? '') !== account) {
        const using = pod.spec.serviceAccountName ?? '';
        throw badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name. pod is running with serviceaccount ${JSON.stringify(using)}`,
        );
      }
      return { pod: claimOf(pod), ...nodeOf(registry, pod.spec.nodeName) };
    }
    case '/Secret':
      return { secret: claimOf(found(registry, Secret, namespace, ref)) };
    case '/Node':
      return { node: claimOf(found(registry, Node, '', ref)) };
    default:
      throw badRequest(
        `cannot bind token to object of type ${groupAndVersion(ref.apiVersion ?? '')}, Kind=${ref.kind ?? ''}`,
      );
  }
}

function claimOf({ metadata }: ApiObject): { readonly name: string; readonly uid: string } {
  return { name: metadata.name ?? '', uid: metadata.uid ?? '' };
}

function found(
  registry: Registry,
  kind: Kind,
  namespace: string,
  { name = '', uid = '' }: BoundObjectReference,
): ApiObject {
  if (name === '') throw badRequest('Name parameter required.');
  const object = registry.resources.of(kind).storage!.cache.get(objectKey({ namespace, name }))?.value.object;
  if (object === undefined) throw notFound(kind, name);
  if (uid !== '' && uid !== object.metadata.uid)
    throw conflict(
      kind,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return object;
}

/** Which node the pod is on, so that a token that turns up elsewhere can be told (KEP-4193). */
function nodeOf(registry: Registry, name: string | undefined): Partial<TokenClaims['kubernetes.io']> {
  if (name === undefined || name === '') return {};
  const uid = registry.resources.of(Node).storage!.cache.get(name)?.value.object.metadata.uid;
  return { node: uid === undefined ? { name } : { name, uid } };
}

/** The core group's version has a slash in front of it, too. */
function groupAndVersion(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
}
