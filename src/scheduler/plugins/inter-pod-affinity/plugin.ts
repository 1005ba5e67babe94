import type { PodAffinityTerm, WeightedPodAffinityTerm } from '#kinds/generated/types/core_v1.ts';
import { selects } from '#machinery/labels.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import { defineSchedulerPlugin, maxScore, type Snapshot, unresolvable, unschedulable } from '../../framework.ts';
import type { NodeInfo } from '../../node-info.ts';
import { type PodInfo, podInfo } from '../../pod-info.ts';

const notAffine = unresolvable("node(s) didn't match pod affinity rules");
const repelled = unschedulable("node(s) didn't match pod anti-affinity rules");
const repelledByOthers = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
/** What a required affinity of a running pod counts for when the incoming one matches it. */
const hardAffinityWeight = 1;

/** Pods near to or far from other pods, by labels and topology. */
export const interPodAffinity = defineSchedulerPlugin({
  name: 'InterPodAffinity',
  weight: 2,
  prepare(pod, snapshot) {
    const others = [...snapshot.nodesWithAffinity()];
    if (!pod.hasAffinity && others.length === 0) return 'skip';
    const needed = affinityNeeds(pod, snapshot);
    const avoided = avoidedDomains(pod, snapshot);
    const forbidden = forbiddenDomains(pod, others, snapshot);
    const wishes = wishesOf(pod, others, snapshot);
    return {
      filter(node) {
        if (!needed(node)) return notAffine;
        if (inAny(avoided, node)) return repelled;
        return inAny(forbidden, node) ? repelledByOthers : undefined;
      },
      score: (node) => scoreOf(wishes, node),
      normalize: spread,
    };
  },
  wakes(event, pod) {
    if (event.type === 'nodeAdded') return true;
    if (event.type === 'nodeUpdated') return event.old.metadata.labels !== event.node.metadata.labels;
    if (event.type === 'assignedPodRemoved') return true;
    if (event.type !== 'podAssigned' && event.type !== 'assignedPodUpdated') return false;
    const arrived = podInfo(event.pod);
    return requiredAffinity(pod).some((term) => selects(term.labelSelector, arrived.pod.metadata.labels));
  },
});

/** Topology key and value, as a key of a map. */
type Domain = string;

function domainOf(topologyKey: string, node: NodeInfo): Domain | undefined {
  const value = node.labels[topologyKey];
  return value === undefined ? undefined : `${topologyKey}\n${value}`;
}

function inAny(domains: ReadonlyMap<Domain, number>, node: NodeInfo): boolean {
  if (domains.size === 0) return false;
  return Object.entries(node.labels).some(([key, value]) => (domains.get(`${key}\n${value}`) ?? 0) > 0);
}

function requiredAffinity({ pod }: PodInfo): readonly PodAffinityTerm[] {
  return pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function requiredAntiAffinity({ pod }: PodInfo): readonly PodAffinityTerm[] {
  return pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

/** Whether `other` is one that a term of `owner` speaks of. */
function termMatches(term: PodAffinityTerm, owner: PodInfo, other: PodInfo, snapshot: Snapshot): boolean {
  const namespace = other.pod.metadata.namespace ?? '';
  return (
    namespaceMatches(term, owner, namespace, snapshot) && selects(selectorOf(term, owner), other.pod.metadata.labels)
  );
}

function namespaceMatches(term: PodAffinityTerm, owner: PodInfo, namespace: string, snapshot: Snapshot): boolean {
  const { namespaces = [], namespaceSelector } = term;
  if (namespaces.includes(namespace)) return true;
  if (namespaceSelector !== undefined) {
    return selects(namespaceSelector, snapshot.namespace(namespace)?.metadata.labels ?? {});
  }
  return namespaces.length === 0 && namespace === owner.pod.metadata.namespace;
}

const selectors = new WeakMap<PodAffinityTerm, LabelSelector | undefined>();

/** The term's selector with the owner's own values of matchLabelKeys in it. */
function selectorOf(term: PodAffinityTerm, owner: PodInfo): LabelSelector | undefined {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (matchLabelKeys.length + mismatchLabelKeys.length === 0 || labelSelector === undefined) return labelSelector;
  const known = selectors.get(term);
  if (known !== undefined) return known;
  const labels = owner.pod.metadata.labels ?? {};
  const requirement = (key: string, operator: string) =>
    labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }];
  const matchExpressions = [
    ...(labelSelector.matchExpressions ?? []),
    ...matchLabelKeys.flatMap((key) => requirement(key, 'In')),
    ...mismatchLabelKeys.flatMap((key) => requirement(key, 'NotIn')),
  ];
  const merged = { ...labelSelector, matchExpressions };
  selectors.set(term, merged);
  return merged;
}

/** The test of the pod's required affinity: every term must have a pod in the node's domain. */
function affinityNeeds(pod: PodInfo, snapshot: Snapshot): (node: NodeInfo) => boolean {
  const terms = requiredAffinity(pod);
  if (terms.length === 0) return () => true;
  const matching = (other: PodInfo) => terms.every((term) => termMatches(term, pod, other, snapshot));
  const domains = terms.map(({ topologyKey }) => ({ topologyKey, present: new Set<Domain>() }));
  for (const node of snapshot.nodes) {
    if (![...node.pods.values()].some(matching)) continue;
    for (const { topologyKey, present } of domains) {
      const domain = domainOf(topologyKey, node);
      if (domain !== undefined) present.add(domain);
    }
  }
  // The first of a group that wants to be together has nobody to be with yet.
  const isFirst = domains.every(({ present }) => present.size === 0) && matching(pod);
  return (node) =>
    domains.every(({ topologyKey, present }) => {
      const domain = domainOf(topologyKey, node);
      return domain !== undefined && (isFirst || present.has(domain));
    });
}

/** Domains with a pod that the incoming one must not be near. */
function avoidedDomains(pod: PodInfo, snapshot: Snapshot): ReadonlyMap<Domain, number> {
  const terms = requiredAntiAffinity(pod);
  const domains = new Map<Domain, number>();
  if (terms.length === 0) return domains;
  for (const node of snapshot.nodes) {
    for (const other of node.pods.values()) {
      for (const term of terms) {
        if (termMatches(term, pod, other, snapshot)) add(domains, domainOf(term.topologyKey, node), 1);
      }
    }
  }
  return domains;
}

/** Domains of running pods that do not want the incoming one near. */
function forbiddenDomains(pod: PodInfo, nodes: readonly NodeInfo[], snapshot: Snapshot): ReadonlyMap<Domain, number> {
  const domains = new Map<Domain, number>();
  for (const node of nodes) {
    if (node.podsWithRequiredAntiAffinity === 0) continue;
    for (const other of node.pods.values()) {
      for (const term of requiredAntiAffinity(other)) {
        if (termMatches(term, other, pod, snapshot)) add(domains, domainOf(term.topologyKey, node), 1);
      }
    }
  }
  return domains;
}

/** How much each domain is wanted: by the pod's own preferences and by those of pods that run already. */
function wishesOf(pod: PodInfo, others: readonly NodeInfo[], snapshot: Snapshot): ReadonlyMap<Domain, number> {
  const wishes = new Map<Domain, number>();
  const own = pod.pod.spec?.affinity;
  const near = own?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const far = own?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const nodes = near.length + far.length > 0 ? snapshot.nodes : others;
  const weigh = (
    terms: readonly WeightedPodAffinityTerm[],
    owner: PodInfo,
    other: PodInfo,
    node: NodeInfo,
    sign: number,
  ) => {
    for (const { weight, podAffinityTerm: term } of terms) {
      if (termMatches(term, owner, other, snapshot)) add(wishes, domainOf(term.topologyKey, node), sign * weight);
    }
  };
  for (const node of nodes) {
    for (const other of node.pods.values()) {
      weigh(near, pod, other, node, 1);
      weigh(far, pod, other, node, -1);
      if (!other.hasAffinity) continue;
      const { podAffinity, podAntiAffinity } = other.pod.spec?.affinity ?? {};
      weigh(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [], other, pod, node, 1);
      weigh(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [], other, pod, node, -1);
      const hard = requiredAffinity(other).map((podAffinityTerm) => ({ podAffinityTerm, weight: hardAffinityWeight }));
      weigh(hard, other, pod, node, 1);
    }
  }
  return wishes;
}

function add(domains: Map<Domain, number>, domain: Domain | undefined, amount: number): void {
  if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + amount);
}

function scoreOf(wishes: ReadonlyMap<Domain, number>, node: NodeInfo): number {
  if (wishes.size === 0) return 0;
  return Object.entries(node.labels).reduce((sum, [key, value]) => sum + (wishes.get(`${key}\n${value}`) ?? 0), 0);
}

/** From the least wanted at 0 to the most wanted at 100. */
function spread(scores: number[]): void {
  const least = Math.min(...scores);
  const range = Math.max(...scores) - least;
  for (const [index, score] of scores.entries()) {
    scores[index] = range === 0 ? 0 : Math.floor((maxScore * (score - least)) / range);
  }
}
