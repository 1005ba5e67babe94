import { hasSchema, schemaNamed } from '#kinds/schemas.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { Published } from './custom.ts';
import type { Dialect } from './dialect.ts';
import { type Parameters, parametersOf } from './parameters.ts';
import type { OpenApiObject, TypeCollector } from './types.ts';

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const answerTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
/** What comes with CBOR (KEP-4222); custom kinds do not publish it. */
const withCbor = { patch: 'application/apply-patch+cbor', answer: 'application/cbor', stream: 'application/cbor-seq' };

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export type Action = keyof typeof parametersOf | 'connect';

/** One thing that can be done at a path. */
export interface OperationDescription {
  readonly id: string;
  readonly action: Action;
  /** Group and version in the path, for example `apps_v1`. */
  readonly tag: string;
  /** The kind that goes in. */
  readonly kind: GroupVersionKind;
  /** Its type; undefined where text or a stream is the answer. */
  readonly schema: ObjectSchema | undefined;
  /** Set for a custom kind, whose published type is not made from its schema. */
  readonly published?: Published | undefined;
}

/** Status codes of success by action, besides 200. */
const furtherSuccesses: Readonly<Partial<Record<Action, readonly number[]>>> = {
  post: [201, 202],
  put: [201],
  patch: [201],
  delete: [202],
};

/** Writes operations down in one of the two dialects. */
export class OperationWriter {
  readonly #dialect: Dialect;
  readonly #types: TypeCollector;
  readonly #cbor: boolean;

  constructor(dialect: Dialect, types: TypeCollector, { cbor }: { readonly cbor: boolean }) {
    this.#dialect = dialect;
    this.#types = types;
    this.#cbor = cbor;
  }

  operation(description: OperationDescription): OpenApiObject {
    const { id, action, tag, kind, schema } = description;
    const body = this.#body(description);
    const parameters = action === 'connect' ? [] : this.parameters('query', parametersOf[action]);
    const isCustom = description.published !== undefined;
    const cbor = this.#cbor && !isCustom;
    const consumes = action === 'patch' ? [...patchTypesOf(isCustom), ...(cbor ? [withCbor.patch] : [])] : ['*/*'];
    const produces = isCustom ? customTypes : producedBy(action, schema, cbor);
    const common = {
      tags: [tag],
      operationId: id,
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
    };
    const isRequired = action !== 'delete' && action !== 'deletecollection';
    if (this.#dialect.version === 2) {
      const required = isRequired ? { required: true } : {};
      const bodies = body === undefined ? [] : [{ name: 'body', in: 'body', ...required, schema: body }];
      const all = [...bodies, ...parameters];
      return {
        consumes,
        produces,
        schemes: ['https'],
        ...(all.length === 0 ? {} : { parameters: all }),
        responses: this.#responses(description, produces),
        ...common,
      };
    }
    const content = Object.fromEntries(consumes.map((type) => [type, { schema: body }]));
    return {
      ...(parameters.length === 0 ? {} : { parameters }),
      ...(body === undefined ? {} : { requestBody: { ...(isRequired ? { required: true } : {}), content } }),
      responses: this.#responses(description, produces),
      ...common,
    };
  }

  /** Path parameters are always required, query parameters never. */
  parameters(where: 'path' | 'query', parameters: Parameters): OpenApiObject[] {
    return Object.entries(parameters).map(([name, type]) => {
      const required = where === 'path' ? { required: true } : {};
      if (this.#dialect.version === 2) return { name, in: where, ...required, type, uniqueItems: true };
      return { name, in: where, ...required, schema: { type, uniqueItems: true } };
    });
  }

  #body({ action, schema, published }: OperationDescription): OpenApiObject | undefined {
    switch (action) {
      case 'post':
      case 'put':
        if (published !== undefined) return this.#types.customReference(published);
        return schema === undefined ? undefined : this.#types.reference(schema);
      case 'patch':
        return this.#types.patch();
      case 'delete':
      case 'deletecollection':
        return this.#types.reference(schemaNamed('meta.v1.DeleteOptions'));
      default:
        return undefined;
    }
  }

  #responses({ action, schema, published }: OperationDescription, produces: readonly string[]): OpenApiObject {
    const isAnswered = published !== undefined && action !== 'delete' && action !== 'deletecollection';
    const custom = isAnswered ? published : undefined;
    const answer = custom === undefined ? this.#answer(schema, action) : this.#customAnswer(custom, action);
    const success =
      this.#dialect.version === 2
        ? { schema: answer }
        : { content: Object.fromEntries(produces.map((type) => [type, { schema: answer }])) };
    const responses: OpenApiObject = { 200: { description: 'OK', ...success } };
    for (const status of furtherSuccesses[action] ?? [])
      responses[String(status)] = { description: status === 201 ? 'Created' : 'Accepted', ...success };
    responses['401'] = { description: 'Unauthorized' };
    return responses;
  }

  #customAnswer(published: Published, action: Action): OpenApiObject {
    return action === 'list' ? this.#types.customListReference(published) : this.#types.customReference(published);
  }

  #answer(schema: ObjectSchema | undefined, action: Action): OpenApiObject {
    if (schema === undefined) return { type: 'string' };
    if (action === 'delete' || action === 'deletecollection')
      return this.#types.reference(schemaNamed('meta.v1.Status'));
    if (action === 'list' && hasSchema(`${schema.name}List`))
      return this.#types.reference(schemaNamed(`${schema.name}List`));
    return this.#types.reference(schema);
  }
}

const customTypes = ['application/json', 'application/yaml'];

/** Nobody knows how lists of a custom kind are merged. */
function patchTypesOf(isCustom: boolean): readonly string[] {
  return isCustom ? patchTypes.filter((type) => !type.includes('strategic')) : patchTypes;
}

function producedBy(action: Action, schema: ObjectSchema | undefined, cbor: boolean): readonly string[] {
  if (action === 'connect') return ['*/*'];
  const answers = cbor ? [...answerTypes, withCbor.answer] : answerTypes;
  if (action === 'list') return [...answers, ...streamTypes, ...(cbor ? [withCbor.stream] : [])];
  return schema === undefined ? ['text/plain', ...answers] : answers;
}
