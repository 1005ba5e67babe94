import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import { createInformers } from '#client/informers.ts';
import { refTo } from '#client/object-key.ts';
import { Lease, Node as NodeKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Node, Pod } from '#kinds/generated/types/core_v1.ts';
import { formatMicroTime, formatTime } from '#machinery/time.ts';

/** A node object as a kubelet registers it, ready. */
export function readyNode(name: string, change: Partial<Node['spec'] & object> = {}): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec: { ...change },
    status: {
      capacity: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' },
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is ready' }],
    },
  };
}

/**
 * What kubelets report, without kubelets: bound pods become ready at once and go when they are told to. For tests of
 * the components that only see the reports.
 */
export async function livePods(
  options: {
    readonly client: Client;
    readonly environment: Environment;
    readonly ready?: (pod: Pod) => boolean;
    readonly ends?: (pod: Pod) => 'Succeeded' | 'Failed' | undefined;
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, environment, ready = () => true, ends = () => undefined } = options;
  const informers = createInformers({ client, environment });
  const report = async (pod: Pod): Promise<void> => {
    if ((pod.spec?.nodeName ?? '') === '') return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      await client.delete(PodKind, refTo(pod), { gracePeriodSeconds: 0 });
    } else if (pod.status?.phase === 'Running' && ends(pod) !== undefined) {
      await client.updateStatus(PodKind, { ...pod, status: { ...pod.status, phase: ends(pod)!, conditions: [] } });
    } else if (pod.status?.phase === 'Pending' && ready(pod)) {
      const time = formatTime(environment.clock.now());
      const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: time,
      }));
      const status = {
        ...pod.status,
        phase: 'Running',
        startTime: time,
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
      };
      await client.updateStatus(PodKind, { ...pod, status: { ...status, conditions } });
    }
  };
  const follow = (pod: Pod) => void report(pod).catch(() => undefined);
  informers.of(PodKind).subscribe({ added: follow, updated: (_, pod) => follow(pod) });
  await informers.run(signal);
}

/** Registers the node, with a lease that is renewed every 10 seconds until the signal aborts. */
export async function addNode(
  { client, environment }: { readonly client: Client; readonly environment: Environment },
  node: Node,
  signal: AbortSignal,
): Promise<void> {
  const name = node.metadata.name ?? '';
  await client.create(NodeKind, node);
  const body = { status: node.status };
  await client.patch(NodeKind, { name }, { type: 'strategic', body }, { subresource: 'status' });
  const namespace = 'kube-node-lease';
  const spec = () => ({
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: formatMicroTime(environment.clock.now()),
  });
  await client.create(Lease, { metadata: { name, namespace }, spec: spec() });
  const renew = () => {
    if (signal.aborted) return;
    void client.patch(Lease, { name, namespace }, { type: 'merge', body: { spec: spec() } }).catch(() => undefined);
    environment.clock.schedule(leaseRenewalMs, renew);
  };
  environment.clock.schedule(leaseRenewalMs, renew);
}

const leaseRenewalMs = 10_000;
