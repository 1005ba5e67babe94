import type { NamespaceCondition } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';

/** What a namespace still holds, and what went wrong while emptying it. */
export interface Remains {
  /** Objects left by `resource.group`. */
  readonly content: ReadonlyMap<string, number>;
  /** Objects left by a finalizer of theirs. */
  readonly finalizers: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  /** Group versions of servers that are away. */
  readonly stale: readonly string[];
}

interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

function verdicts({ content, finalizers, failures, stale }: Remains): readonly Verdict[] {
  const contents = [...content].map(([resource, count]) => `${resource} has ${count} resource instances`).sort();
  const holders = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  return [
    discovery(stale),
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    failures.length > 0
      ? {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'False',
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        },
    contents.length > 0
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${contents.join(', ')}`,
        }
      : {
          type: 'NamespaceContentRemaining',
          status: 'False',
          reason: 'ContentRemoved',
          message: 'All content successfully removed',
        },
    holders.length > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${holders.join(', ')}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ];
}

function discovery(stale: readonly string[]): Verdict {
  const type = 'NamespaceDeletionDiscoveryFailure';
  if (stale.length === 0)
    return { type, status: 'False', reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' };
  const causes = stale.map((version) => `${version}: stale GroupVersion discovery: ${version}`).join(', ');
  const what = `unable to retrieve the complete list of server APIs: ${causes}`;
  const message = `Discovery failed for some groups, ${stale.length} failing: ${what}`;
  return { type, status: 'True', reason: 'DiscoveryFailed', message };
}

/** The conditions that say how far the deletion is; the old list itself when nothing changed. */
export function deletionConditions(
  old: readonly NamespaceCondition[],
  remains: Remains,
  nowMs: number,
): readonly NamespaceCondition[] {
  const lastTransitionTime = formatTime(nowMs);
  let changed = false;
  const wanted = verdicts(remains).map((verdict) => {
    const current = old.find(({ type }) => type === verdict.type);
    const isSame =
      current?.status === verdict.status && current.reason === verdict.reason && current.message === verdict.message;
    if (isSame) return current;
    changed = true;
    return { ...verdict, lastTransitionTime };
  });
  return changed ? wanted : old;
}
