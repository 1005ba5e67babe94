import type { Client } from '#client/client.ts';
import { EndpointSlice, Endpoints } from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';

/** Where the `kubernetes` service leads: the address and port of this API server. */
export async function publishApiServer(
  client: Client,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<void> {
  const name = 'kubernetes';
  const namespace = 'default';
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  await put(client, Endpoints, {
    metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports }],
  } as ApiObject);
  await put(client, EndpointSlice, {
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  } as ApiObject);
}

async function put(client: Client, kind: Kind, object: ApiObject): Promise<void> {
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    await client.update(kind, object);
  }
}
