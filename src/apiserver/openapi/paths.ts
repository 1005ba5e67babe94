import type { SubresourceRow } from '#kinds/resources.ts';
import { expectedKind } from '../http/decode.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { Dialect } from './dialect.ts';
import { type Action, type GroupVersionKind, OperationWriter } from './operations.ts';
import { connectParameters } from './parameters.ts';
import type { OpenApiObject, TypeCollector } from './types.ts';

/** Subresources that are a conversation, whatever the method. */
const conversations = new Set(['attach', 'exec', 'portforward', 'proxy']);

const methodOf: Readonly<Record<string, 'get' | 'post' | 'put' | 'patch' | 'delete'>> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
};

const verbInIds: Readonly<Record<Exclude<Action, 'connect'>, string>> = {
  get: 'read',
  list: 'list',
  post: 'create',
  put: 'replace',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
};

/** Writes down what can be done with a resource, in one of the two dialects. */
export class PathWriter {
  readonly #operations: OperationWriter;
  readonly paths: OpenApiObject = {};

  constructor(dialect: Dialect, types: TypeCollector, forms: { readonly cbor: boolean }) {
    this.#operations = new OperationWriter(dialect, types, forms);
  }

  add(resource: ServedResource): void {
    const { group, version, resource: plural, namespaced } = resource.kind;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const space: readonly string[] = namespaced ? ['namespace'] : [];
    const { verbs } = resource;
    const entry = (name: string, action: Action, id: string): OpenApiObject =>
      verbs.has(name) ? { [httpMethod(action)]: this.#operation(resource, action, id) } : {};
    if (namespaced) {
      const id = `${idOf(resource.kind, 'list', '', '')}ForAllNamespaces`;
      this.#put(`${root}/${plural}`, [], entry('list', 'list', id));
    }
    const named = namespaced ? 'Namespaced' : '';
    this.#put(collection, space, {
      ...entry('list', 'list', idOf(resource.kind, 'list', named, '')),
      ...entry('create', 'post', idOf(resource.kind, 'post', named, '')),
      ...entry('deletecollection', 'deletecollection', idOf(resource.kind, 'delete', `Collection${named}`, '')),
    });
    this.#put(`${collection}/{name}`, ['name', ...space], {
      ...entry('get', 'get', idOf(resource.kind, 'get', named, '')),
      ...entry('update', 'put', idOf(resource.kind, 'put', named, '')),
      ...entry('patch', 'patch', idOf(resource.kind, 'patch', named, '')),
      ...entry('delete', 'delete', idOf(resource.kind, 'delete', named, '')),
    });
    for (const subresource of resource.subresources.values()) {
      const path = `${collection}/{name}/${subresource.name}`;
      const operations = this.#subresource(resource, subresource, named);
      this.#put(path, ['name', ...space], operations, subresource.name);
      if (subresource.name === 'proxy')
        this.#put(
          `${path}/{path}`,
          ['name', ...space, 'path'],
          this.#subresource(resource, subresource, named, 'WithPath'),
          'proxy',
        );
    }
  }

  #operation(resource: ServedResource, action: Action, id: string): OpenApiObject {
    const { kind, schema, custom } = resource;
    return this.#operations.operation({ id, action, tag: tagOf(kind), kind, schema, published: custom?.published });
  }

  #put(path: string, inPath: readonly string[], operations: OpenApiObject, subresource = ''): void {
    if (Object.keys(operations).length === 0) return;
    const isConversation = conversations.has(subresource);
    const query = {
      ...(isConversation ? {} : { pretty: 'string' as const }),
      ...connectParameters[subresource],
    };
    const parameters = [
      ...this.#operations.parameters('path', Object.fromEntries(inPath.map((name) => [name, 'string' as const]))),
      ...this.#operations.parameters('query', query),
    ];
    this.paths[path] = { parameters, ...operations };
  }

  #subresource(
    resource: ServedResource,
    { name, verbs, kind: kindName, ...place }: SubresourceRow,
    named: string,
    suffix = '',
  ): OpenApiObject {
    const words = name === 'ephemeralcontainers' ? 'Ephemeralcontainers' : capital(name);
    const group = place.group === '' ? (kindName === resource.kind.kind ? resource.kind.group : '') : place.group;
    const kind: GroupVersionKind = { group, version: place.version, kind: kindName };
    const operations: OpenApiObject = {};
    const methods: readonly string[] =
      name === 'proxy'
        ? ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']
        : verbs.map((verb) => methodOf[verb] ?? '');
    for (const method of methods) {
      if (method === '') continue;
      const tag = tagOf(resource.kind);
      if (conversations.has(name)) {
        const id = `connect${idPlace(resource.kind, `${capital(method)}${named}`)}${words}${suffix}`;
        operations[method] = this.#operations.operation({ id, action: 'connect', tag, kind, schema: undefined });
        continue;
      }
      const action = method as 'get' | 'post' | 'put' | 'patch' | 'delete';
      const id = idOf(resource.kind, action, named, words);
      const schema = name === 'log' ? undefined : expectedKind(resource, name).schema;
      const published = kindName === resource.kind.kind ? resource.custom?.published : undefined;
      operations[method] = this.#operations.operation({ id, action, tag, kind, schema, published });
    }
    return operations;
  }
}

function httpMethod(action: Action): string {
  if (action === 'list') return 'get';
  return action === 'deletecollection' ? 'delete' : action;
}

/** What generated clients name their methods after: `listCoreV1NamespacedPod`. */
function idOf(kind: GroupVersionKind, action: Exclude<Action, 'connect'>, named: string, subresource: string): string {
  return `${verbInIds[action]}${idPlace(kind, named)}${subresource}`;
}

function idPlace({ group, version, kind }: GroupVersionKind, named: string): string {
  return `${capital(groupWords(group))}${capital(version)}${named}${kind}`;
}

function tagOf({ group, version }: GroupVersionKind): string {
  return `${groupWords(group)}_${version}`;
}

/** `rbac.authorization.k8s.io` is `rbacAuthorization`. */
function groupWords(group: string): string {
  if (group === '') return 'core';
  const [first = '', ...others] = group.replace(/\.k8s\.io$/, '').split(/[.-]/);
  return first + others.map(capital).join('');
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
