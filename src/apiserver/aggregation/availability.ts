import { EndpointSlice, Service } from '#kinds/generated/handles.ts';
import type { APIServiceCondition } from '#kinds/generated/types/apiregistration_v1.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice as EndpointSliceObject } from '#kinds/generated/types/discovery_v1.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { RemoteServer } from './remote-server.ts';

export type Availability = Pick<APIServiceCondition, 'status' | 'reason' | 'message'> & object;

/** A probe that takes longer has failed. */
const probeTimeoutMs = 5_000;
/** Probes of one check: a service may have several servers behind it, of which one is just going. */
const probes = 5;

export const local: Availability = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};

/** Whether an aggregated server can be used, and why not. */
export async function checkAvailability(remote: RemoteServer, resources: ResourceTable): Promise<Availability> {
  const unreachable = checkService(remote, resources);
  if (unreachable !== undefined) return unreachable;
  try {
    await Promise.any(Array.from({ length: probes }, () => probe(remote)));
    return { status: 'True', reason: 'Passed', message: 'all checks passed' };
  } catch (error) {
    const last = (error as AggregateError).errors.at(-1) as Error;
    return { status: 'False', reason: 'FailedDiscoveryCheck', message: last.message };
  }
}

/** @throws Error in the words of upstream's condition. */
async function probe(remote: RemoteServer): Promise<void> {
  const { group = '', version = '' } = remote.spec;
  const path = `/apis/${group}/${version}`;
  let url = path;
  let problem: string;
  try {
    const { host, port } = remote.address();
    url = `https://${host}:${port}${path}`;
    const { status } = await remote.fetch(path, 'application/json', probeTimeoutMs);
    if (status >= 200 && status < 300) return;
    problem = `bad status from ${url}: ${status}`;
  } catch (error) {
    problem = `Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`;
  }
  throw new Error(`failing or missing response from ${url}: ${problem}`);
}

function checkService({ spec }: RemoteServer, resources: ResourceTable): Availability | undefined {
  const { name = '', namespace = '', port = 443 } = spec.service!;
  const place = `service/${name} in ${JSON.stringify(namespace)}`;
  const fail = (reason: string, message: string): Availability => ({ status: 'False', reason, message });
  const found = resources.of(Service).storage!.cache.get(objectKey({ namespace, name }))?.value.object;
  if (found === undefined) return fail('ServiceNotFound', `${place} is not present`);
  const service = (found as ServiceObject).spec;
  if (service?.type !== undefined && service.type !== 'ClusterIP') return undefined;
  const servicePort = service?.ports?.find((candidate) => candidate.port === port);
  if (servicePort === undefined) return fail('ServicePortError', `${place} is not listening on port ${port}`);
  const portName = servicePort.name ?? '';
  const slices = [...resources.of(EndpointSlice).storage!.cache.entries(namespace)]
    .map(({ value }) => value.object as EndpointSliceObject)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
  if (slices.length === 0) return fail('EndpointsNotFound', `cannot find endpointslices for ${place}`);
  const isActive = slices.some(
    ({ endpoints, ports }) =>
      endpoints?.some(({ conditions }) => conditions?.ready !== false) === true &&
      ports?.some((candidate) => (candidate.name ?? '') === portName && candidate.port !== undefined) === true,
  );
  if (isActive) return undefined;
  return fail(
    'MissingEndpoints',
    `endpointslices for ${place} have no addresses with port name ${JSON.stringify(portName)}`,
  );
}
