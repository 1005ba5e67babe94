import { Node, Pod } from '#kinds/generated/handles.ts';
import type { Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import { ApiError, badRequest, notFound } from '#machinery/errors.ts';
import type { NodeApi } from '#machinery/node-api.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { ApiServer } from '../server.ts';

/** Finds the node agent of a node by its name; undefined when it is not connected. */
export type NodeLookup = (nodeName: string) => NodeApi | undefined;

/** A pod and the agent of its node. @throws ApiError when either is missing. */
export function scheduledPod(
  server: ApiServer,
  nodes: NodeLookup,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): { readonly pod: PodObject; readonly node: NodeApi } {
  const pod = existingPod(server, { namespace, name });
  const { nodeName = '' } = pod.spec;
  if (nodeName === '') throw badRequest(`pod ${name} does not have a host assigned`);
  return { pod, node: connectedNode(nodes, nodeName) };
}

/** @throws ApiError 404 */
export function existingPod(
  server: ApiServer,
  place: { readonly namespace: string; readonly name: string },
): PodObject {
  const found = server.resources.of(Pod).storage!.cache.get(objectKey(place));
  if (found === undefined) throw notFound(Pod, place.name);
  return found.value.object as PodObject;
}

export function connectedNode(nodes: NodeLookup, nodeName: string): NodeApi {
  const node = nodes(nodeName);
  if (node === undefined) throw new ApiError(503, 'ServiceUnavailable', `the node ${nodeName} is not connected`);
  return node;
}

/** The agent of a node that is asked for itself. @throws ApiError 404, or 503 */
export function agentToAsk(server: ApiServer, nodes: NodeLookup, name: string): NodeApi {
  if (server.resources.of(Node).storage!.cache.get(name) === undefined) throw notFound(Node, name);
  return connectedNode(nodes, name);
}

/** The container that is meant: the one named, or the only one. @throws ApiError 400. */
export function containerOf(pod: PodObject, wanted: string | undefined): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const name = pod.metadata.name ?? '';
  const all = [...containers, ...initContainers, ...ephemeralContainers].map((container) => container.name);
  if (wanted !== undefined && wanted !== '') {
    if (!all.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${name}`);
    return wanted;
  }
  const chosen = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (chosen !== undefined && all.includes(chosen)) return chosen;
  if (containers.length === 1) return containers[0]!.name;
  const choices = containers.map((container) => container.name).join(' ');
  const inits =
    initContainers.length === 0
      ? ''
      : ` or one of the init containers: [${initContainers.map((container) => container.name).join(' ')}]`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${choices}]${inits}`);
}
