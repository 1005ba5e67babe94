import type { Lease } from '#kinds/generated/types/coordination_v1.ts';
import type { Node, Pod, PodSpec } from '#kinds/generated/types/core_v1.ts';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  zero,
} from '#machinery/quantity.ts';
import { ageOf } from '#machinery/time.ts';
import { type DescribeOptions, describeEvents, related } from '../related.ts';
import { longTime, quantities, type Sheet } from '../sheet.ts';

const rolePrefix = 'node-role.kubernetes.io/';

export async function describeNode(sheet: Sheet, node: Node, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status } = node;
  sheet.field('Name', metadata.name ?? '');
  const roles = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length))
    .sort();
  sheet.field('Roles', roles.length === 0 ? '<none>' : roles.join(','));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.field('CreationTimestamp', longTime(metadata.creationTimestamp ?? ''));
  const taints = (spec?.taints ?? []).map(
    ({ key, value = '', effect }) => `${key}${value === '' ? '' : `=${value}`}:${effect}`,
  );
  sheet.list('Taints', taints);
  sheet.field('Unschedulable', spec?.unschedulable ?? false);
  await describeLease(sheet, metadata.name ?? '', options);
  describeConditions(sheet, node);
  sheet.line(0, 'Addresses:');
  for (const { type, address } of status?.addresses ?? []) sheet.field(type, address, 1);
  quantities(sheet, 'Capacity', status?.capacity, 0);
  quantities(sheet, 'Allocatable', status?.allocatable, 0);
  describeSystem(sheet, node);
  if ((spec?.podCIDR ?? '') !== '') sheet.field('PodCIDR', spec!.podCIDR!);
  if ((spec?.podCIDRs ?? []).length > 0) sheet.field('PodCIDRs', spec!.podCIDRs!.join(','));
  sheet.optional('ProviderID', spec?.providerID);
  await describePods(sheet, node, options);
  // Events about nodes carry the node's name as its uid.
  await describeEvents(sheet, options, { kind: 'Node', metadata: { name: metadata.name ?? '' } });
}

async function describeLease(sheet: Sheet, name: string, options: DescribeOptions): Promise<void> {
  const [lease] = await related<Lease>(options, 'leases.coordination.k8s.io', {
    namespace: 'kube-node-lease',
    fieldSelector: `metadata.name=${name}`,
  });
  sheet.line(0, 'Lease:');
  const { holderIdentity, acquireTime, renewTime } = lease?.spec ?? {};
  sheet.field('HolderIdentity', holderIdentity ?? '<unset>', 1);
  sheet.field('AcquireTime', acquireTime === undefined ? '<unset>' : longTime(acquireTime), 1);
  sheet.field('RenewTime', renewTime === undefined ? '<unset>' : longTime(renewTime), 1);
}

function describeConditions(sheet: Sheet, { status }: Node): void {
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return;
  sheet.line(0, 'Conditions:');
  sheet.line(1, 'Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage');
  sheet.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  const time = (text: string | undefined): string => (text === undefined ? '<unknown>' : longTime(text));
  for (const { type, status: value, lastHeartbeatTime, lastTransitionTime, reason = '', message = '' } of conditions) {
    sheet.line(
      1,
      `${type} \t${value} \t${time(lastHeartbeatTime)} \t${time(lastTransitionTime)} \t${reason} \t${message}`,
    );
  }
}

function describeSystem(sheet: Sheet, { status }: Node): void {
  const info = status?.nodeInfo;
  sheet.line(0, 'System Info:');
  sheet.field('Machine ID', info?.machineID ?? '', 1);
  sheet.field('System UUID', info?.systemUUID ?? '', 1);
  sheet.field('Boot ID', info?.bootID ?? '', 1);
  sheet.field('Kernel Version', info?.kernelVersion ?? '', 1);
  sheet.field('OS Image', info?.osImage ?? '', 1);
  sheet.field('Operating System', info?.operatingSystem ?? '', 1);
  sheet.field('Architecture', info?.architecture ?? '', 1);
  sheet.field('Container Runtime Version', info?.containerRuntimeVersion ?? '', 1);
  sheet.field('Kubelet Version', info?.kubeletVersion ?? '', 1);
}

type Amounts = Readonly<Record<string, Quantity>>;

async function describePods(sheet: Sheet, { metadata, status }: Node, options: DescribeOptions): Promise<void> {
  const pods = await related<Pod>(options, 'pods', {
    fieldSelector: `spec.nodeName=${metadata.name},status.phase!=Failed,status.phase!=Succeeded`,
  });
  const allocatable = status?.allocatable ?? status?.capacity ?? {};
  const share = (amounts: Amounts, name: string): string => {
    const amount = amounts[name] ?? zero;
    const whole = allocatable[name] === undefined ? zero : parseQuantity(allocatable[name]);
    const percent = whole.nanos === 0n ? 0n : (amount.nanos * 100n) / whole.nanos;
    return `${formatQuantity(amount)} (${percent}%)`;
  };
  sheet.field('Non-terminated Pods', `(${pods.length} in total)`);
  sheet.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge');
  sheet.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  let requests: Amounts = {};
  let limits: Amounts = {};
  for (const pod of pods) {
    const [asked, most] = [amountsOf(pod.spec, 'requests'), amountsOf(pod.spec, 'limits')];
    requests = combined(requests, asked, addQuantities);
    limits = combined(limits, most, addQuantities);
    const cells = [share(asked, 'cpu'), share(most, 'cpu'), share(asked, 'memory'), share(most, 'memory')];
    const age = ageOf(pod.metadata.creationTimestamp, options.context.clock.now());
    sheet.line(1, `${pod.metadata.namespace}\t${pod.metadata.name}\t\t${cells.join('\t')}\t${age}`);
  }
  sheet.line(0, 'Allocated resources:');
  sheet.line(1, '(Total limits may be over 100 percent, i.e., overcommitted.)');
  sheet.line(1, 'Resource\tRequests\tLimits');
  sheet.line(1, '--------\t--------\t------');
  for (const name of ['cpu', 'memory', 'ephemeral-storage'])
    sheet.line(1, `${name}\t${share(requests, name)}\t${share(limits, name)}`);
  for (const name of Object.keys(allocatable).sort()) {
    if (name.startsWith('hugepages-')) sheet.line(1, `${name}\t${share(requests, name)}\t${share(limits, name)}`);
    else if (name.includes('/')) {
      sheet.line(1, `${name}\t${formatQuantity(requests[name] ?? zero)}\t${formatQuantity(limits[name] ?? zero)}`);
    }
  }
}

function combined(left: Amounts, right: Amounts, join: (a: Quantity, b: Quantity) => Quantity): Amounts {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const [a, b] = [left[name], right[name]];
      return [name, a === undefined ? b! : b === undefined ? a : join(a, b)];
    }),
  );
}

const larger = (a: Quantity, b: Quantity): Quantity => (compareQuantities(a, b) < 0 ? b : a);

/** What a pod takes: its containers and sidecars together, or its greediest init container, and its overhead. */
function amountsOf(spec: PodSpec | undefined, kind: 'requests' | 'limits'): Amounts {
  const parsed = (list: Readonly<Record<string, string>> | undefined): Amounts =>
    Object.fromEntries(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
  let total = (spec?.containers ?? []).reduce<Amounts>(
    (sum, { resources }) => combined(sum, parsed(resources?.[kind]), addQuantities),
    {},
  );
  let beforehand: Amounts = {};
  let sidecars: Amounts = {};
  for (const { resources, restartPolicy } of spec?.initContainers ?? []) {
    const own = parsed(resources?.[kind]);
    if (restartPolicy === 'Always') {
      sidecars = combined(sidecars, own, addQuantities);
      total = combined(total, own, addQuantities);
    }
    beforehand = combined(
      beforehand,
      restartPolicy === 'Always' ? sidecars : combined(sidecars, own, addQuantities),
      larger,
    );
  }
  const most = combined(total, beforehand, larger);
  return spec?.overhead === undefined ? most : combined(most, parsed(spec.overhead), addQuantities);
}
