import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { type ResourceInfo, resourcePath } from '../discovery/mapper.ts';

/** Which objects of a resource. */
export interface Query {
  readonly info: ResourceInfo;
  /** Absent: the whole cluster. */
  readonly namespace?: string | undefined;
  /** Absent: a list. */
  readonly name?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface FetchOptions {
  readonly accept?: string;
  /** Objects per answer; 0 asks for all at once. */
  readonly chunkSize?: number;
  readonly query?: Readonly<Record<string, string>>;
}

/** One object, or all answers of a list in order. Throws ApiError. */
export async function fetchPages(
  context: CommandContext,
  query: Query,
  options: FetchOptions = {},
): Promise<readonly JsonObject[]> {
  const { info, namespace, name, subresource, labelSelector, fieldSelector } = query;
  const path = resourcePath(info, { namespace, name, subresource });
  const accept = options.accept === undefined ? {} : { accept: options.accept };
  if (name !== undefined) return [await context.request({ path, ...accept, query: options.query ?? {} })];
  const limit = options.chunkSize === 0 ? undefined : options.chunkSize;
  const pages: JsonObject[] = [];
  let next: string | undefined;
  do {
    const page = await context
      .request({
        path,
        ...accept,
        query: { ...options.query, labelSelector, fieldSelector, limit, continue: next },
      })
      .catch((error: unknown) => {
        throw withSelectors(error, query);
      });
    pages.push(page);
    next = (page['metadata'] as { readonly continue?: string } | undefined)?.continue;
  } while (next !== undefined && next !== '');
  return pages;
}

/** A list that the server cannot make sense of is told with what it was asked for. */
function withSelectors(error: unknown, { info, labelSelector = '', fieldSelector = '' }: Query): unknown {
  if (!(error instanceof ApiError) || error.reason !== 'BadRequest' || labelSelector + fieldSelector === '')
    return error;
  const what = `"${info.group}/${info.version}, Resource=${info.resource}"`;
  const message = `Unable to find ${what} that match label selector "${labelSelector}", field selector "${fieldSelector}": ${error.message}`;
  return new ApiError(error.code, error.reason, message, error.status.details);
}

/** Objects per answer unless a flag says otherwise. */
const defaultChunkSize = 500;

/** The objects themselves, each with its apiVersion and kind, as a list leaves them out of its items. */
export async function fetchObjects(
  context: CommandContext,
  query: Query,
  options: FetchOptions = {},
): Promise<readonly JsonObject[]> {
  const pages = await fetchPages(context, query, { chunkSize: defaultChunkSize, ...options });
  return pages.flatMap(itemsOf);
}

/** A list's items with their apiVersion and kind; any other object alone. */
export function itemsOf(page: JsonObject): readonly JsonObject[] {
  const items = page['items'];
  if (!Array.isArray(items)) return [page];
  const kind = String(page['kind'] ?? '').replace(/List$/, '');
  return items.map((item) => ({ apiVersion: page['apiVersion'] ?? '', kind, ...(item as JsonObject) }));
}

/** Whether the server said that the object is not there. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.reason === 'NotFound';
