import type { RequestInfo } from '../http/request-info.ts';
import type { ResourceTable } from '../resources/resource.ts';

/** Objects that are listed at the price of one seat, and the most that one list takes; as upstream. */
const objectsPerSeat = 100;
const maxListSeats = 10;

const streaming = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Requests that last as long as their clients like: they are not limited, watches aside. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.type === 'resource' && info.subresource !== '' && streaming.has(info.subresource);
}

/** How wide a request is: lists, and watches that begin with one, by how much they go through. */
export function seatsOf(info: RequestInfo, query: URLSearchParams, resources: ResourceTable): number {
  if (info.type === 'path' || info.name !== '') return 1;
  if (info.verb === 'watch' && !startsWithList(query)) return 1;
  if (info.verb !== 'list' && info.verb !== 'watch' && info.verb !== 'deletecollection') return 1;
  const stored = resources.get(info.group, info.version, info.resource)?.storage?.cache.size ?? 0;
  const limit = Number(query.get('limit') ?? 0);
  const isSelective = query.has('labelSelector') || query.has('fieldSelector');
  // A page of what is selected may have to go through everything.
  const gone = limit > 0 && !isSelective ? Math.min(stored, limit) : stored;
  return Math.min(maxListSeats, Math.max(1, Math.ceil(gone / objectsPerSeat)));
}

function startsWithList(query: URLSearchParams): boolean {
  const wanted = query.get('resourceVersion') ?? '';
  return query.get('sendInitialEvents') === 'true' || wanted === '' || wanted === '0';
}
