import { ApiError } from '#machinery/errors.ts';
import { sendJson, sendTagged } from '../http/answer.ts';
import type { Exchange } from '../http/handler.ts';
import type { ServedResource } from '../resources/resource.ts';
import { aggregatedGroups, apiGroup, groupVersions, resourceList } from './documents.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `/api`, `/apis` and the lists below them. Returns false for any other path. */
export function serveDiscovery(exchange: Exchange, path: string): boolean {
  const { server, response } = exchange;
  const resources = [...server.resources.all()];
  const [, root, group, version, ...more] = path.split('/');
  if ((root !== 'api' && root !== 'apis') || more.length > 0) return false;
  if (group === undefined) {
    if (wantsAggregated(exchange)) sendAggregated(exchange, resources, root === 'api');
    else if (root === 'api') sendJson(response, 200, coreVersions());
    else
      sendJson(response, 200, {
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: groupVersions(resources)
          .filter(({ group: name }) => name !== '')
          .map(apiGroup),
      });
    return true;
  }
  if (root === 'api') {
    if (version !== undefined) return false;
    return sendResources(exchange, resources, '', group);
  }
  if (version !== undefined) return sendResources(exchange, resources, group, version);
  const found = groupVersions(resources).find(({ group: name }) => name === group);
  if (found === undefined) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  sendJson(response, 200, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(found) });
  return true;
}

function coreVersions(): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }],
  };
}

function sendResources(
  { response }: Exchange,
  resources: readonly ServedResource[],
  group: string,
  version: string,
): boolean {
  const served = resources.filter(({ kind }) => kind.group === group && kind.version === version);
  if (served.length === 0) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  sendJson(response, 200, resourceList(served));
  return true;
}

function wantsAggregated({ request }: Exchange): boolean {
  return (request.headers.accept ?? '')
    .split(',')
    .some((range) => range.includes('as=APIGroupDiscoveryList') && /\bv=v2(;|$)/.test(range.trim()));
}

/** Everything in one answer, with an ETag so that clients ask in vain most of the time. */
function sendAggregated(exchange: Exchange, resources: readonly ServedResource[], core: boolean): void {
  const items = aggregatedGroups(resources.filter(({ kind }) => (kind.group === '') === core));
  const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  sendTagged(exchange, aggregatedType, Buffer.from(JSON.stringify(list)));
}
