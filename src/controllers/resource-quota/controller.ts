import { type Controller, defineController, done, retryAfter } from '#client/controller.ts';
import { byNamespace } from '#client/object-cache.ts';
import { keyOf } from '#client/object-key.ts';
import { isPodTerminal } from '#kinds/core/pod/state.ts';
import { overdueAtMs } from '#kinds/core/resource-quota/pod-usage.ts';
import { isInScope, plus, usageOf } from '#kinds/core/resource-quota/usage.ts';
import { ResourceQuota as ResourceQuotaKind } from '#kinds/generated/handles.ts';
import type { PersistentVolumeClaim, Pod } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { formatQuantity, type Quantity, quantity } from '#machinery/quantity.ts';
import { type AggregatedApis, followServedKinds, noAggregatedApis, type ServedKind } from '../shared/served-kinds.ts';

/** Admission has charged what is new: counting again can wait until a burst of creations is over. */
const recountAfterCreationMs = 1_000;
/** What else may have gone wrong is put right this often. */
const resyncMs = 5 * 60_000;

/** Counts anew what each quota limits; what admission has charged between two counts is put right here. */
export function resourceQuota(kinds: readonly Kind[], aggregated: AggregatedApis = noAggregatedApis): Controller {
  const counted = kinds.filter(({ namespaced, resource }) => namespaced && resource !== 'events');
  return defineController({
    name: 'resourcequota-controller',
    queue: 'resourcequota_primary',
    workers: 5,
    setup(context) {
      const { clock } = context.environment;
      // What is used changes with every admission; what is allowed is this controller's to keep in step.
      const quotas = context.watch(ResourceQuotaKind, (quota, event) =>
        event.type === 'updated' && equalValues(event.current.spec?.hard ?? {}, event.current.status?.hard ?? {})
          ? []
          : [keyOf(quota)],
      );
      const byQuotaNamespace = quotas.index('namespace', byNamespace);
      const sourceOf = (kind: Kind, follow: NonNullable<ServedKind['follow']>) => {
        const informer = follow((object, event) => {
          const keys = byQuotaNamespace.get(object.metadata.namespace ?? '').map(keyOf);
          if (keys.length === 0) return keys;
          if (event.type === 'added') {
            for (const key of keys) context.enqueueAfter(key, recountAfterCreationMs);
            return [];
          }
          // Most changes move no sum; a pod that ends gives its share back, a claim or service may grow.
          const isQuiet = event.type === 'updated' && equalValues(shareOf(event.old), shareOf(event.current));
          return isQuiet ? [] : keys;
        });
        informer.index('namespace', byNamespace);
        return { kind, informer };
      };
      const sources = counted.map((kind) => sourceOf(kind, (keysOf) => context.watch(kind, keysOf)));
      followServedKinds(context, aggregated, {
        come({ kind, follow }) {
          if (kind.namespaced && follow !== undefined) sources.push(sourceOf(kind, follow));
        },
        gone(kind) {
          const at = sources.findIndex((source) => source.kind === kind);
          if (at >= 0) sources.splice(at, 1);
        },
      });
      return async (key, { client, signal }) => {
        const quota = quotas.getByKey(key);
        if (quota === undefined) return done;
        const hard = quota.spec?.hard ?? {};
        const sums = new Map<string, Quantity>();
        const nowMs = clock.now();
        let againMs = nowMs + resyncMs;
        for (const { kind, informer } of sources) {
          for (const object of informer.index('namespace', byNamespace).get(quota.metadata.namespace ?? '')) {
            if (!isInScope(quota, kind, object)) continue;
            for (const [name, amount] of usageOf(kind, object, nowMs)) {
              if (Object.hasOwn(hard, name)) sums.set(name, plus(sums.get(name), amount));
            }
            const dueMs = kind.resource === 'pods' && kind.group === '' ? overdueAtMs(object as Pod) : undefined;
            if (dueMs !== undefined && dueMs >= nowMs) againMs = Math.min(againMs, dueMs + 1);
          }
        }
        const nothing = quantity('0');
        const used = Object.fromEntries(
          Object.keys(hard).map((name) => [name, formatQuantity(sums.get(name) ?? nothing)]),
        );
        const status = { hard, used };
        if (!equalValues(status, quota.status)) {
          await client.updateStatus(ResourceQuotaKind, { ...quota, status }, { signal });
        }
        return retryAfter(againMs - nowMs);
      };
    },
  });
}

/** What of an object a sum may depend on. */
function shareOf(object: ApiObject): unknown {
  const { spec } = object as { readonly spec?: unknown };
  const { deletionTimestamp } = object.metadata;
  const { status } = object as PersistentVolumeClaim;
  return {
    spec,
    deletionTimestamp,
    ended: isPodTerminal(object as Pod),
    allocated: status?.allocatedResources,
    attributes: [status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus],
  };
}
