import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { isTrue, type ResourceRequest } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { ApiServer } from '../server.ts';

interface Connection {
  readonly info: ResourceRequest;
  readonly resource: ServedResource;
  readonly user: UserInfo;
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
}

/** What admission is shown of a connection: its options as an object, by `resource/subresource`. */
const kinds: Readonly<Record<string, string>> = {
  'pods/exec': 'PodExecOptions',
  'pods/attach': 'PodAttachOptions',
  'pods/portforward': 'PodPortForwardOptions',
  'pods/proxy': 'PodProxyOptions',
  'services/proxy': 'ServiceProxyOptions',
  'nodes/proxy': 'NodeProxyOptions',
};

/** Lets admission judge a connection into a node. @throws ApiError of a refusal. */
export async function admitConnection({ registry }: ApiServer, connection: Connection): Promise<void> {
  const { info, resource, user, query, signal } = connection;
  const kind = kinds[`${info.resource}/${info.subresource}`];
  if (kind === undefined || resource.kind.group !== '') return;
  const object = { kind, apiVersion: 'v1', ...optionsOf(info, query) } as unknown as Mutable<ApiObject>;
  await registry.admission.check(registry, {
    operation: 'CONNECT',
    object,
    oldObject: undefined,
    objectKind: { group: '', version: 'v1', kind },
    request: {
      verb: 'connect',
      resource,
      subresource: info.subresource,
      namespace: resource.kind.namespaced ? info.namespace : '',
      name: info.name,
      user,
      options: {},
      body: undefined,
      signal,
      warn: () => {},
    },
  });
}

function optionsOf({ subresource, rest }: ResourceRequest, query: URLSearchParams): object {
  if (subresource === 'proxy') return rest === '' ? {} : { path: rest };
  const ports = query.getAll('ports').map(Number);
  if (subresource === 'portforward') return ports.length === 0 ? {} : { ports };
  const container = query.get('container');
  const command = query.getAll('command');
  const streams = ['stdin', 'stdout', 'stderr', 'tty'].filter((name) => isTrue(query.get(name) ?? 'false'));
  return {
    ...Object.fromEntries(streams.map((name) => [name, true])),
    ...(container === null || container === '' ? {} : { container }),
    ...(command.length === 0 ? {} : { command }),
  };
}
