import type { SubresourceRow } from '#kinds/resources.ts';
import { hasSchema, schemaNamed } from '#kinds/schemas.ts';
import { expectedKind } from '../http/decode.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { Dialect } from './dialect.ts';
import type { OpenApiObject, TypeCollector } from './types.ts';

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const answerTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

type Kind = { readonly group: string; readonly version: string; readonly kind: string };

/** Query parameters: name and whether it is a string, number or boolean. */
type Parameters = Readonly<Record<string, 'string' | 'integer' | 'boolean'>>;
const listParameters: Parameters = {
  allowWatchBookmarks: 'boolean',
  continue: 'string',
  fieldSelector: 'string',
  labelSelector: 'string',
  limit: 'integer',
  resourceVersion: 'string',
  resourceVersionMatch: 'string',
  sendInitialEvents: 'boolean',
  timeoutSeconds: 'integer',
  watch: 'boolean',
};
const writeParameters: Parameters = { dryRun: 'string', fieldManager: 'string', fieldValidation: 'string' };
const deleteParameters: Parameters = {
  dryRun: 'string',
  gracePeriodSeconds: 'integer',
  orphanDependents: 'boolean',
  propagationPolicy: 'string',
};

/** Writes down what can be done with a resource, in one of the two dialects. */
export class PathWriter {
  readonly #dialect: Dialect;
  readonly #types: TypeCollector;
  readonly paths: OpenApiObject = {};

  constructor(dialect: Dialect, types: TypeCollector) {
    this.#dialect = dialect;
    this.#types = types;
  }

  add(resource: ServedResource): void {
    const { group, version, resource: plural, namespaced } = resource.kind;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    if (namespaced && resource.verbs.has('list'))
      this.#put(
        `${root}/${plural}`,
        [],
        { get: this.#operation(resource, 'list', listParameters) },
        'ForAllNamespaces',
      );
    const names = namespaced ? ['namespace'] : [];
    this.#put(collection, names, this.#collectionOperations(resource));
    if (resource.verbs.has('get'))
      this.#put(`${collection}/{name}`, ['name', ...names], this.#objectOperations(resource));
    for (const subresource of resource.subresources.values()) {
      this.#put(
        `${collection}/{name}/${subresource.name}`,
        ['name', ...names],
        this.#subresourceOperations(resource, subresource),
      );
    }
  }

  #put(path: string, pathParameters: readonly string[], operations: OpenApiObject, suffix = ''): void {
    if (Object.keys(operations).length === 0) return;
    for (const [method, operation] of Object.entries(operations)) {
      const written = operation as OpenApiObject;
      written['operationId'] =
        `${method}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase())}${suffix}`;
    }
    const parameters = [
      ...pathParameters.map((name) => this.#parameter('path', name, 'string')),
      this.#parameter('query', 'pretty', 'string'),
    ];
    this.paths[path] = { parameters, ...operations };
  }

  #collectionOperations(resource: ServedResource): OpenApiObject {
    const { verbs } = resource;
    return {
      ...(verbs.has('list') ? { get: this.#operation(resource, 'list', listParameters) } : {}),
      ...(verbs.has('create') ? { post: this.#operation(resource, 'post', writeParameters, resource.kind) } : {}),
      ...(verbs.has('deletecollection')
        ? { delete: this.#operation(resource, 'deletecollection', { ...listParameters, ...deleteParameters }) }
        : {}),
    };
  }

  #objectOperations(resource: ServedResource): OpenApiObject {
    const { verbs, kind } = resource;
    return {
      ...(verbs.has('get') ? { get: this.#operation(resource, 'get', {}) } : {}),
      ...(verbs.has('update') ? { put: this.#operation(resource, 'put', writeParameters, kind) } : {}),
      ...(verbs.has('patch')
        ? { patch: this.#operation(resource, 'patch', { ...writeParameters, force: 'boolean' }, kind) }
        : {}),
      ...(verbs.has('delete') ? { delete: this.#operation(resource, 'delete', deleteParameters) } : {}),
    };
  }

  #subresourceOperations(resource: ServedResource, { name, verbs }: SubresourceRow): OpenApiObject {
    const methods: Readonly<Record<string, string>> = {
      get: 'get',
      create: 'post',
      update: 'put',
      patch: 'patch',
      delete: 'delete',
    };
    const expected = expectedKind(resource, name);
    const operations: OpenApiObject = {};
    for (const verb of verbs) {
      const method = methods[verb];
      if (method === undefined) continue;
      const parameters =
        verb === 'get' || verb === 'delete'
          ? {}
          : verb === 'patch'
            ? { ...writeParameters, force: 'boolean' as const }
            : writeParameters;
      const options = connectOptions[name];
      const about = { kind: resource.kind, schema: expected.schema };
      operations[method] =
        options === undefined
          ? this.#operation(about, method, parameters, method === 'get' ? undefined : expected)
          : this.#operation({ ...about, kind: withSuffix(resource.kind, options) }, 'connect', parameters);
    }
    return operations;
  }

  #operation(
    resource: Pick<ServedResource, 'kind' | 'schema'>,
    action: string,
    parameters: Parameters,
    body?: Kind,
  ): OpenApiObject {
    const { group, version, kind } = resource.kind;
    const isPatch = action === 'patch';
    const answer = this.#answer(resource, action);
    const consumes = isPatch ? patchTypes : ['*/*'];
    const bodySchema = isPatch ? { type: 'object' } : this.#types.reference(resource.schema);
    const query = Object.entries(parameters).map(([name, type]) => this.#parameter('query', name, type));
    const common = {
      tags: [`${group === '' ? 'core' : group.split('.')[0]}_${version}`],
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': {
        group: body?.group ?? group,
        version: body?.version ?? version,
        kind: body?.kind ?? kind,
      },
    };
    const produces = action === 'list' ? [...answerTypes, ...streamTypes] : answerTypes;
    if (this.#dialect.version === 2) {
      const bodyParameter =
        body === undefined ? [] : [{ name: 'body', in: 'body', required: true, schema: bodySchema }];
      return {
        consumes,
        produces,
        schemes: ['https'],
        parameters: [...bodyParameter, ...query],
        responses: { 200: { description: 'OK', schema: answer }, 401: { description: 'Unauthorized' } },
        ...common,
      };
    }
    const content = Object.fromEntries(produces.map((type) => [type, { schema: answer }]));
    const requestBody =
      body === undefined
        ? {}
        : {
            requestBody: {
              required: true,
              content: Object.fromEntries(consumes.map((type) => [type, { schema: bodySchema }])),
            },
          };
    return {
      parameters: query,
      ...requestBody,
      responses: { 200: { description: 'OK', content }, 401: { description: 'Unauthorized' } },
      ...common,
    };
  }

  #answer({ schema }: Pick<ServedResource, 'schema'>, action: string): OpenApiObject {
    if (action === 'connect') return { type: 'string' };
    if (action === 'delete' || action === 'deletecollection')
      return this.#types.reference(schemaNamed('meta.v1.Status'));
    if (action === 'list' && hasSchema(`${schema.name}List`))
      return this.#types.reference(schemaNamed(`${schema.name}List`));
    return this.#types.reference(schema);
  }

  #parameter(where: 'path' | 'query', name: string, type: string): OpenApiObject {
    const required = where === 'path' ? { required: true } : {};
    if (this.#dialect.version === 2) return { name, in: where, ...required, type, uniqueItems: true };
    return { name, in: where, ...required, schema: { type, uniqueItems: true } };
  }
}

/**
 * Subresources that are connected to rather than read, with what their options are called after the kind. kubectl goes
 * by that name when it looks for the patch operation of a Service among all paths.
 */
const connectOptions: Readonly<Record<string, string>> = {
  exec: 'ExecOptions',
  attach: 'AttachOptions',
  portforward: 'PortForwardOptions',
  proxy: 'ProxyOptions',
};

function withSuffix(kind: ServedResource['kind'], suffix: string): ServedResource['kind'] {
  return { ...kind, kind: `${kind.kind}${suffix}` };
}
