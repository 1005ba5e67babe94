import type { Client } from '#client/client.ts';
import { Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';

/**
 * Makes sure of the service `kube-system/kube-dns`, by whose name and labels tools look for the cluster's DNS. It has
 * no endpoints: the address is the DNS server's own, and a service that somebody else gave it may stay.
 */
export async function ensureDnsService(client: Client, address: string, signal: AbortSignal): Promise<void> {
  const service: ServiceObject = {
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: {
        'k8s-app': 'kube-dns',
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': 'CoreDNS',
      },
    },
    spec: {
      clusterIP: address,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    },
  };
  try {
    await client.create(Service, service, { signal });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists') && !isReason(error, 'Invalid')) throw error;
  }
}
