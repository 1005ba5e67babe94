import { passed } from '#base/clock.ts';
import type { ControllerContext, KeysOf } from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { APIService as ApiServiceKind } from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { followCustomKinds } from './custom-kinds.ts';

/** A kind of an aggregated server that can be listed and deleted. */
export interface AggregatedKind {
  readonly kind: Kind;
  readonly isWatchable: boolean;
}

/** What discovery says of the servers behind this one. */
export interface AggregatedApis {
  /** One version of each resource; of a server that is away, what it had when it was last asked. */
  kinds(): readonly AggregatedKind[];
  /** Group versions whose server is away: `flowers.example.org/v1`. */
  stale(): readonly string[];
}

/** No server is behind this one. */
export const noAggregatedApis: AggregatedApis = { kinds: () => [], stale: () => [] };

/** A kind that is there now, and how to follow its objects. */
export interface ServedKind {
  readonly kind: Kind;
  /** Undefined for what cannot be watched. */
  readonly follow: ((keysOf?: KeysOf<ApiObject>) => Informer<ApiObject>) | undefined;
}

export interface ServedKindFollower {
  come(served: ServedKind): void;
  /** The very kind that came. */
  gone(kind: Kind): void;
}

/** Upstream's controllers ask discovery as often. */
const discoveryMs = 30_000;

/** Tells of kinds as definitions and aggregated servers bring and take them. */
export function followServedKinds(
  context: ControllerContext,
  aggregated: AggregatedApis,
  follower: ServedKindFollower,
): void {
  followCustomKinds(context, {
    come: (kind) => follower.come({ kind, follow: (keysOf) => context.watch(kind, keysOf) }),
    gone: (kind) => follower.gone(kind),
  });
  followAggregatedKinds(context, aggregated, follower);
}

function followAggregatedKinds(
  context: ControllerContext,
  aggregated: AggregatedApis,
  follower: ServedKindFollower,
): void {
  const known = new Map<string, Kind>();
  const look = (): void => {
    const present = new Map(aggregated.kinds().map((each) => [keyOf(each.kind), each]));
    for (const [key, kind] of known) {
      if (present.has(key)) continue;
      known.delete(key);
      follower.gone(kind);
      context.unwatch(kind);
    }
    for (const [key, { kind, isWatchable }] of present) {
      if (known.has(key)) continue;
      known.set(key, kind);
      // A server that hangs must not keep the controller from its work.
      const follow = isWatchable ? (keysOf?: KeysOf<ApiObject>) => context.watchApart(kind, keysOf) : undefined;
      follower.come({ kind, follow });
    }
  };
  context.watch(ApiServiceKind).subscribe({ added: look, updated: look, deleted: look });
  void lookRegularly(context, look);
}

async function lookRegularly({ environment, signal }: ControllerContext, look: () => void): Promise<void> {
  while (await passed(environment.clock, discoveryMs, signal)) look();
}

function keyOf({ group, version, kind, resource, namespaced }: Kind): string {
  return `${group}/${version}/${resource}/${kind}/${namespaced}`;
}
