import { schemaNamed } from '#kinds/schemas.ts';
import { ApiError } from '#machinery/errors.ts';
import { encodeJsonLine } from '#machinery/json.ts';
import { addHeaders, hashOf, sendBytes, sendTagged } from '../http/answer.ts';
import { encodeValue } from '../http/encode.ts';
import { plainFormat } from '../http/format.ts';
import type { Exchange } from '../http/handler.ts';
import { mediaTypes } from '../http/negotiation.ts';
import type { ApiServer } from '../server.ts';
import { aggregatedGroups, apiGroup, type DiscoveryDocument, resourceList } from './documents.ts';
import { type DiscoveredGroup, discoveredGroups } from './groups.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** What was made from the groups as they were; thrown away when any of them changes. */
interface Documents {
  readonly changes: string;
  readonly groups: readonly DiscoveredGroup[];
  readonly aggregated: Map<'api' | 'apis', { readonly body: Buffer; readonly hash: string }>;
}

const documents = new WeakMap<ApiServer, Documents>();

function documentsOf(server: ApiServer): Documents {
  const changes = `${server.resources.changes} ${server.aggregator?.changes ?? 0}`;
  let known = documents.get(server);
  if (known?.changes !== changes) {
    const groups = discoveredGroups(server.resources, server.aggregator?.remotes ?? []);
    known = { changes, groups, aggregated: new Map() };
    documents.set(server, known);
  }
  return known;
}

/**
 * `/api`, `/apis` and the lists below them. Returns false for any other path.
 * @param place whether upstream has a router there, and `HOST:PORT` of this server
 */
export function serveDiscovery(
  exchange: Exchange,
  path: string,
  place: { readonly isRouted: boolean; readonly serverAddress: string },
): boolean {
  const { server } = exchange;
  const [, root, group, version, ...more] = path.split('/');
  if ((root !== 'api' && root !== 'apis') || more.length > 0) return false;
  if (group === undefined) {
    if (wantsAggregated(exchange)) sendAggregated(exchange, root);
    else if (root === 'api') sendDocument(exchange, coreVersions(place.serverAddress), place);
    else sendDocument(exchange, groupList(documentsOf(server).groups), place);
    return true;
  }
  if (root === 'api') {
    if (version !== undefined) return false;
    return sendResources(exchange, ['', group], place);
  }
  if (version !== undefined) return sendResources(exchange, [group, version], place);
  const found = documentsOf(server).groups.find(({ group: name }) => name === group);
  const entry = found === undefined ? undefined : apiGroup(found);
  if (entry === undefined) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  sendDocument(exchange, { kind: 'APIGroup', apiVersion: 'v1', ...entry }, place);
  return true;
}

/** @throws ApiError 406 */
function sendDocument(exchange: Exchange, document: DiscoveryDocument, place: { readonly isRouted: boolean }): void {
  const format = plainFormat(exchange, place);
  const bytes = encodeValue(document, schemaNamed(`meta.v1.${document.kind}`), format);
  sendBytes(exchange.response, 200, mediaTypes[format.encoding], bytes);
}

function groupList(groups: readonly DiscoveredGroup[]): DiscoveryDocument {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter(({ group }) => group !== '').flatMap((group) => apiGroup(group) ?? []),
  };
}

function coreVersions(serverAddress: string): DiscoveryDocument {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

function sendResources(
  exchange: Exchange,
  [group, version]: readonly [group: string, version: string],
  place: { readonly isRouted: boolean },
): boolean {
  const served = exchange.server.resources.groups.get(group)?.get(version);
  if (served === undefined) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  const sorted = [...served].sort((left, right) => (left.kind.resource < right.kind.resource ? -1 : 1));
  sendDocument(exchange, resourceList(sorted), place);
  return true;
}

function wantsAggregated({ request }: Exchange): boolean {
  return (request.headers.accept ?? '')
    .split(',')
    .some((range) => range.includes('as=APIGroupDiscoveryList') && /\bv=v2(;|$)/.test(range.trim()));
}

/** Everything in one answer, with an ETag so that clients ask in vain most of the time. */
function sendAggregated(exchange: Exchange, root: 'api' | 'apis'): void {
  const { groups, aggregated } = documentsOf(exchange.server);
  let known = aggregated.get(root);
  if (known === undefined) {
    const items = aggregatedGroups(groups.filter(({ group }) => (group === '') === (root === 'api')));
    const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
    const body = Buffer.from(encodeJsonLine(list));
    known = { body, hash: hashOf(body) };
    aggregated.set(root, known);
  }
  addHeaders(exchange.response, { 'cache-control': 'public' });
  sendTagged(exchange, aggregatedType, known.body, known.hash);
}
