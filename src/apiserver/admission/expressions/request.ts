import { type Bindings, fromJson, type Value } from '#cel/index.ts';
import { authorizerValue, type CheckAccess, requestResourceValue } from '#cel/kubernetes/library/authorizer.ts';
import { Namespace } from '#kinds/generated/handles.ts';
import { notFound } from '#machinery/errors.ts';
import type { ApiObject, Json, JsonObject } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import type { ObjectsView } from '../objects.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { checkAccess } from './authorizer.ts';

/** A request as expressions see it, in the version in which a rule matched it. Values are made when they are read. */
export class RequestView {
  readonly objects: ObjectsView;
  readonly #attributes: AdmissionAttributes;
  readonly #resource: ServedResource;
  readonly #registry: Registry;
  readonly #values = new Map<string, Value>();
  #access: CheckAccess | undefined;

  /** @param objects in the version of `resource`. */
  constructor(registry: Registry, attributes: AdmissionAttributes, resource: ServedResource, objects: ObjectsView) {
    this.#registry = registry;
    this.#attributes = attributes;
    this.#resource = resource;
    this.objects = objects;
  }

  /** Values of variables; what `more` knows comes first. */
  bindings(more: (name: string) => Value | undefined): Bindings {
    return (name) => {
      const own = more(name);
      if (own !== undefined) return own;
      let value = this.#values.get(name);
      if (value === undefined) {
        value = this.#make(name);
        if (value !== undefined) this.#values.set(name, value);
      }
      return value;
    };
  }

  #make(name: string): Value | undefined {
    switch (name) {
      case 'object':
        return fromJson(this.objects.object as unknown as Json | undefined);
      case 'oldObject':
        return fromJson(this.objects.oldObject as unknown as Json | undefined);
      case 'request':
        return fromJson(this.#request());
      case 'namespaceObject':
        return fromJson(this.#namespace());
      case 'authorizer':
        return authorizerValue(this.#checkAccess());
      case 'authorizer.requestResource':
        return requestResourceValue(this.#checkAccess(), this.#accessPath());
      default:
        return undefined;
    }
  }

  #checkAccess(): CheckAccess {
    this.#access ??= checkAccess(this.#registry.authorizer, this.#attributes.request.user);
    return this.#access;
  }

  #accessPath() {
    const { request } = this.#attributes;
    const { group, resource } = request.resource.kind;
    return { group, resource, subresource: request.subresource, namespace: request.namespace, name: this.#name() };
  }

  #name(): string {
    const { request, object, oldObject } = this.#attributes;
    return request.name !== '' ? request.name : ((object ?? oldObject)?.metadata?.name ?? '');
  }

  #request(): JsonObject {
    const { operation, request, objectKind } = this.#attributes;
    const { subresource, namespace, user, options } = request;
    const own = request.resource.kind;
    const { extra = {} } = user;
    return {
      kind: kindJson(this.objects.kind),
      resource: resourceJson(this.#resource),
      ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
      requestKind: kindJson(objectKind ?? own),
      requestResource: resourceJson(request.resource),
      ...(this.#name() === '' ? {} : { name: this.#name() }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        ...(user.groups.length === 0 ? {} : { groups: user.groups }),
        ...(Object.keys(extra).length === 0 ? {} : { extra: extra as unknown as JsonObject }),
      },
      dryRun: options.dryRun ?? false,
      options: {
        apiVersion: 'meta.k8s.io/v1',
        kind: optionsKinds[operation] ?? 'CreateOptions',
        ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
        ...(options.fieldManager === undefined ? {} : { fieldManager: options.fieldManager }),
        ...(options.fieldValidation === undefined ? {} : { fieldValidation: options.fieldValidation }),
      },
    };
  }

  /** The parts of the request's namespace that expressions may see; null where there is none. */
  #namespace(): Json {
    const { namespace, resource } = this.#attributes.request;
    if (namespace === '' || (resource.kind.group === '' && resource.kind.resource === 'namespaces')) return null;
    const found = this.#registry.resources.of(Namespace).storage?.cache.get(namespace)?.value.object;
    if (found === undefined) throw notFound(Namespace, namespace);
    const { metadata, spec, status } = found as ApiObject & { readonly spec?: Json; readonly status?: Json };
    const { managedFields: _, ownerReferences: __, ...shown } = metadata;
    return { metadata: shown as unknown as JsonObject, spec: spec ?? {}, status: status ?? {} };
  }
}

const optionsKinds: Readonly<Record<string, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
};

const kindJson = ({ group, version, kind }: ObjectsView['kind']): JsonObject => ({ group, version, kind });

const resourceJson = ({ kind: { group, version, resource } }: ServedResource): JsonObject => ({
  group,
  version,
  resource,
});
