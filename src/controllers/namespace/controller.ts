import type { Client } from '#client/client.ts';
import {
  type Controller,
  type ControllerContext,
  defineController,
  done,
  type KeysOf,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import { messageOf } from '#client/failures.ts';
import { Namespace as NamespaceKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Namespace } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { ApiError, isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { type AggregatedApis, followServedKinds, noAggregatedApis, type ServedKind } from '../shared/served-kinds.ts';
import { deletionConditions, type Remains } from './conditions.ts';

/** What spec.finalizers holds until the namespace is empty. */
const kubernetesFinalizer = 'kubernetes';
/** Objects per page while counting what is left. */
const pageLimit = 500;
/** Deletions are seen as they happen; this is for what no informer follows. */
const recheckMs = 5_000;

/** Empties namespaces that are being deleted, pods first, then lets them go. */
export function namespace(kinds: readonly Kind[], aggregated: AggregatedApis = noAggregatedApis): Controller {
  const builtin = kinds.filter((kind) => kind.namespaced);
  return defineController({
    name: 'namespace-controller',
    workers: 10,
    setup(context) {
      const namespaces = context.watch(NamespaceKind, ({ metadata }) => [metadata.name ?? '']);
      // The last object to go is what a terminating namespace waits for.
      const waiting: KeysOf<ApiObject> = ({ metadata }, { type }) =>
        type === 'deleted' && isTerminating(namespaces.get(undefined, metadata.namespace ?? ''))
          ? [metadata.namespace ?? '']
          : [];
      const contents = new Set(builtin);
      for (const kind of builtin) context.watch(kind, waiting);
      followServedKinds(context, aggregated, {
        come({ kind, follow }: ServedKind) {
          if (!kind.namespaced) return;
          contents.add(kind);
          follow?.(waiting);
        },
        gone: (kind) => contents.delete(kind),
      });
      return async (name, turn) => {
        const current = namespaces.get(undefined, name);
        if (current === undefined || !isTerminating(current)) return done;
        if (!(current.spec?.finalizers ?? []).includes(kubernetesFinalizer)) return done;
        const remains = { ...(await empty(context, [...contents], name, turn)), stale: aggregated.stale() };
        const reported = await report(context, current, remains, turn);
        // What a server that is away holds in the namespace nobody knows.
        const isEmpty = remains.content.size === 0 && remains.failures.length === 0 && remains.stale.length === 0;
        if (!isEmpty) return retryAfter(recheckMs);
        const finalizers = (reported.spec?.finalizers ?? []).filter((finalizer) => finalizer !== kubernetesFinalizer);
        const wanted = { ...reported, spec: { ...reported.spec, finalizers } };
        try {
          await turn.client.updateSubresource(NamespaceKind, { name }, 'finalize', wanted, { signal: turn.signal });
        } catch (error) {
          if (!(error instanceof ApiError && error.code === 404)) throw error;
        }
        return done;
      };
    },
  });
}

function isTerminating(namespace: Namespace | undefined): boolean {
  return namespace?.metadata.deletionTimestamp !== undefined;
}

/** Deletes all content and counts what is left. While pods are left nothing else is touched: they may need it to stop. */
async function empty(
  context: ControllerContext,
  kinds: readonly Kind[],
  name: string,
  turn: Turn,
): Promise<Omit<Remains, 'stale'>> {
  const remains = {
    content: new Map<string, number>(),
    finalizers: new Map<string, number>(),
    failures: [] as string[],
  };
  const pods = kinds.filter((kind) => kind.group === PodKind.group && kind.resource === PodKind.resource);
  await emptyKinds(context, pods, name, turn, remains);
  if (remains.content.size > 0 || remains.failures.length > 0) return remains;
  const others = kinds.filter((kind) => !pods.includes(kind));
  await emptyKinds(context, others, name, turn, remains);
  return remains;
}

async function emptyKinds(
  context: ControllerContext,
  kinds: readonly Kind[],
  namespace: string,
  { client, signal }: Turn,
  remains: {
    readonly content: Map<string, number>;
    readonly finalizers: Map<string, number>;
    readonly failures: string[];
  },
): Promise<void> {
  for (const kind of kinds) {
    try {
      const before = await client.list(kind, { namespace, limit: pageLimit, signal });
      if (before.items.length === 0) continue;
      await deleteAll(client, kind, before.items, { namespace, signal });
      const after = await client.list(kind, { namespace, limit: pageLimit, signal });
      const count = after.items.length + (after.metadata.remainingItemCount ?? 0);
      if (count > 0) remains.content.set(`${kind.resource}.${kind.group}`, count);
      for (const { metadata } of after.items) {
        for (const finalizer of metadata.finalizers ?? []) {
          remains.finalizers.set(finalizer, (remains.finalizers.get(finalizer) ?? 0) + 1);
        }
      }
    } catch (error) {
      if (signal.aborted) throw error;
      // One broken kind (an aggregated API that is away) must not keep the others.
      remains.failures.push(messageOf(error));
      context.environment.log.debug('cannot empty', { namespace, resource: kind.resource, message: messageOf(error) });
    }
  }
}

/** At once, or one by one where the kind knows no other way. */
async function deleteAll(
  client: Client,
  kind: Kind,
  items: readonly ApiObject[],
  { namespace, signal }: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<void> {
  const options = { propagationPolicy: 'Background', signal } as const;
  try {
    await client.deleteCollection(kind, { namespace, ...options });
  } catch (error) {
    if (!isReason(error, 'MethodNotAllowed')) throw error;
    for (const { metadata } of items) {
      await client.delete(kind, { namespace, name: metadata.name ?? '' }, options).catch((failure: unknown) => {
        if (!isReason(failure, 'NotFound')) throw failure;
      });
    }
  }
}

async function report(
  context: ControllerContext,
  namespace: Namespace,
  remains: Remains,
  { client, signal }: Turn,
): Promise<Namespace> {
  const old = namespace.status?.conditions ?? [];
  const conditions = deletionConditions(old, remains, context.environment.clock.now());
  if (conditions === old) return namespace;
  const status = { ...namespace.status, phase: 'Terminating', conditions };
  return await client.updateStatus(NamespaceKind, { ...namespace, status }, { signal });
}
