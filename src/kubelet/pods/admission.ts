import type { Node, NodeSelectorTerm, Pod, Taint, Toleration } from '#kinds/generated/types/core_v1.ts';
import { quantity } from '#machinery/quantity.ts';
import type { Eviction } from './pod-sync.ts';
import { type Amounts, amountsOf, podAmounts } from './resources.ts';

/**
 * Whether a node takes a pod on, as the kubelet checks it once more after the scheduler: undefined when it does. A pod
 * that was bound by hand, or twice over, fails here with the reasons users know from the STATUS column.
 */
export function rejection(pod: Pod, node: Node, others: readonly Pod[]): Eviction | undefined {
  const { name: nodeName } = node.metadata;
  const rejected = (reason: string, message: string): Eviction => ({ reason, message: `Pod was rejected: ${message}` });
  const os = pod.spec.os?.name;
  if (os !== undefined && os !== 'linux')
    return rejected('PodOSNotSupported', "Failed to admit pod as the OS field doesn't match node OS");
  const allocatable = node.status?.allocatable ?? {};
  const maxPods = allocatable['pods'] === undefined ? undefined : Number(quantity(allocatable['pods']).nanos) / 1e9;
  if (maxPods !== undefined && others.length + 1 > maxPods)
    return rejected('OutOfpods', insufficient('pods', 1, others.length, maxPods));
  const wanted = podAmounts(pod, 'requests');
  const available = amountsOf(allocatable);
  for (const name of Object.keys(wanted).sort()) {
    const amount = wanted[name]!;
    if (amount === 0) continue;
    const used = others.reduce((sum, other) => sum + (podAmounts(other, 'requests')[name] ?? 0), 0);
    if (used + amount > (available[name] ?? 0)) return rejected(`OutOf${name}`, outOf(name, amount, used, available));
  }
  if (!matchesNode(pod, node))
    return rejected('NodeAffinity', "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector");
  const conflict = portConflict(pod, others);
  if (conflict)
    return rejected(
      'NodePorts',
      "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    );
  const taint = (node.spec?.taints ?? []).find(
    (found) => found.effect === 'NoExecute' && !(pod.spec.tolerations ?? []).some((one) => tolerates(one, found)),
  );
  if (taint !== undefined && nodeName !== undefined)
    return rejected('TaintToleration', 'Predicate TaintToleration failed: node(s) had untolerated taint(s)');
  return undefined;
}

function outOf(name: string, amount: number, used: number, available: Amounts): string {
  const scale = name === 'cpu' ? 1000 : 1;
  const whole = (value: number) => Math.ceil(Math.round(value * scale * 1e6) / 1e6);
  return insufficient(name, whole(amount), whole(used), whole(available[name] ?? 0));
}

function insufficient(name: string, requested: number, used: number, capacity: number): string {
  return `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
}

function portConflict(pod: Pod, others: readonly Pod[]): boolean {
  const portsOf = (one: Pod) =>
    [...one.spec.containers, ...(one.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')].flatMap(
      ({ ports = [] }) => ports.filter(({ hostPort }) => hostPort !== undefined && hostPort > 0),
    );
  const wanted = portsOf(pod);
  if (wanted.length === 0) return false;
  const everywhere = (ip: string | undefined) => ip === undefined || ip === '' || ip === '0.0.0.0';
  return others
    .flatMap(portsOf)
    .some((taken) =>
      wanted.some(
        (port) =>
          port.hostPort === taken.hostPort &&
          (port.protocol ?? 'TCP') === (taken.protocol ?? 'TCP') &&
          (everywhere(port.hostIP) || everywhere(taken.hostIP) || port.hostIP === taken.hostIP),
      ),
    );
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  const key = toleration.key ?? '';
  if (key !== '' && key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return key !== '' && (toleration.value ?? '') === (taint.value ?? '');
}

function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesTerm(term, node));
}

function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    expressions.every((one) => matchesRequirement(one, labels[one.key])) &&
    fields.every((one) => matchesRequirement(one, one.key === 'metadata.name' ? node.metadata.name : undefined))
  );
}

function matchesRequirement(
  { operator, values = [] }: { readonly operator: string; readonly values?: readonly string[] },
  actual: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
      return actual !== undefined && Number(actual) > Number(values[0]);
    case 'Lt':
      return actual !== undefined && Number(actual) < Number(values[0]);
    default:
      return false;
  }
}
