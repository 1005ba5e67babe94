import {
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { byNamespace } from '#client/object-cache.ts';
import { keyOf } from '#client/object-key.ts';
import { isPodReady, isPodTerminal } from '#kinds/core/pod/state.ts';
import {
  PodDisruptionBudget as BudgetKind,
  Deployment,
  Pod as PodKind,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#kinds/generated/types/policy_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { selects } from '#machinery/labels.ts';
import type { ApiObject, Condition } from '#machinery/meta.ts';
import { formatTime, parseTime } from '#machinery/time.ts';
import { resolveIntOrPercent } from '../shared/int-or-percent.ts';
import { controllerNameOf, controllerOf } from '../shared/owners.ts';

/** A pod that was allowed to go and is still there after this long counts again. */
const disruptedPodTimeoutMs = 2 * 60_000;

/** Owners whose size says how many pods are expected, for budgets in percent or by `maxUnavailable`. */
const scalable: readonly Kind<ScalableOwner>[] = [ReplicaSet, ReplicationController, StatefulSet];

interface ScalableOwner extends ApiObject {
  readonly spec?: { readonly replicas?: number };
}

/** Says in each budget's status how many of its pods may be evicted now. */
export const disruption = defineController({
  name: 'disruption-controller',
  component: 'controllermanager',
  setup(context) {
    const budgets = new Budgets(context);
    return (key, turn) => budgets.reconcile(key, turn);
  },
});

class Budgets {
  readonly #context: ControllerContext;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #pods: Informer<Pod>;
  readonly #owners: ReadonlyMap<Kind<ScalableOwner>, Informer<ScalableOwner>>;
  readonly #deployments: Informer<ScalableOwner>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#budgets = context.watch(BudgetKind, (budget) => [keyOf(budget)]);
    this.#budgets.index('namespace', byNamespace);
    this.#pods = context.watch(PodKind, (pod, event) => {
      if (event.type === 'updated' && isPodReady(event.old) === isPodReady(event.current)) {
        const { old, current } = event;
        if (
          old.status?.phase === current.status?.phase &&
          equalValues(old.metadata, { ...current.metadata, resourceVersion: old.metadata.resourceVersion })
        )
          return [];
      }
      return this.#budgetsOf(pod);
    });
    this.#pods.index('namespace', byNamespace);
    this.#owners = new Map(scalable.map((kind) => [kind, context.watch(kind)]));
    this.#deployments = context.watch<ScalableOwner>(Deployment);
  }

  async reconcile(key: string, { client, signal }: Turn): Promise<ReconcileResult> {
    const budget = this.#budgets.getByKey(key);
    if (budget === undefined) return done;
    const nowMs = this.#context.environment.clock.now();
    const pods = this.#pods
      .index('namespace', byNamespace)
      .get(budget.metadata.namespace ?? '')
      .filter((pod) => selects(budget.spec?.selector, pod.metadata.labels) && !isPodTerminal(pod));
    const disrupted = stillDisrupted(budget, pods, nowMs);
    const healthy = pods.filter((pod) => {
      return (
        isPodReady(pod) &&
        pod.metadata.deletionTimestamp === undefined &&
        !Object.hasOwn(disrupted, pod.metadata.name ?? '')
      );
    }).length;
    const { expected, desired } = this.#wanted(budget, pods);
    const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0;
    const status: PodDisruptionBudgetStatus = {
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      observedGeneration: budget.metadata.generation ?? 0,
      ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
      conditions: [allowedCondition(budget, allowed, nowMs)],
    };
    if (!equalValues(status, budget.status)) {
      await client.updateStatus(BudgetKind, { ...budget, status }, { signal });
    }
    return Object.keys(disrupted).length === 0 ? done : retryAfter(disruptedPodTimeoutMs);
  }

  #wanted(
    { spec }: PodDisruptionBudget,
    pods: readonly Pod[],
  ): { readonly expected: number; readonly desired: number } {
    const { minAvailable, maxUnavailable } = spec ?? {};
    if (maxUnavailable !== undefined) {
      const expected = this.#expectedPods(pods);
      const missing = resolveIntOrPercent(maxUnavailable, expected, { round: 'up' });
      return { expected, desired: Math.max(0, expected - missing) };
    }
    if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable };
    const expected = this.#expectedPods(pods);
    return { expected, desired: resolveIntOrPercent(minAvailable, expected, { round: 'up' }) };
  }

  /** The sizes of all controllers that the pods belong to, each once. */
  #expectedPods(pods: readonly Pod[]): number {
    const sizes = new Map<string, number>();
    for (const pod of pods) {
      const controller = controllerOf(pod);
      const owner = this.#ownerOf(pod);
      if (controller === undefined) sizes.set(pod.metadata.uid ?? '', 1);
      else if (owner !== undefined) sizes.set(owner.metadata.uid ?? '', owner.spec?.replicas ?? 1);
      else sizes.set(pod.metadata.uid ?? '', 1);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /** The topmost owner with a size: the Deployment above a ReplicaSet, as rollouts keep only its size. */
  #ownerOf(pod: Pod): ScalableOwner | undefined {
    for (const [kind, informer] of this.#owners) {
      const name = controllerNameOf(pod, kind);
      const owner = name === undefined ? undefined : informer.get(pod.metadata.namespace, name);
      if (owner === undefined) continue;
      const above = controllerNameOf(owner, Deployment);
      return (above === undefined ? undefined : this.#deployments.get(pod.metadata.namespace, above)) ?? owner;
    }
    return undefined;
  }

  #budgetsOf({ metadata }: Pod): readonly string[] {
    const budgets = this.#budgets.index('namespace', byNamespace).get(metadata.namespace ?? '');
    return budgets.filter(({ spec }) => selects(spec?.selector, metadata.labels)).map(keyOf);
  }
}

/** Pods that an eviction was granted for and that have not gone yet. */
function stillDisrupted(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): Readonly<Record<string, string>> {
  const present = new Set(
    pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => pod.metadata.name),
  );
  const entries = Object.entries(status?.disruptedPods ?? {}).filter(
    ([name, time]) => present.has(name) && parseTime(time) + disruptedPodTimeoutMs > nowMs,
  );
  return Object.fromEntries(entries);
}

function allowedCondition({ metadata, status }: PodDisruptionBudget, allowed: number, nowMs: number): Condition {
  const current = status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const wanted = allowed > 0 ? 'True' : 'False';
  return {
    type: 'DisruptionAllowed',
    status: wanted,
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: current?.status === wanted ? current.lastTransitionTime : formatTime(nowMs),
  };
}
