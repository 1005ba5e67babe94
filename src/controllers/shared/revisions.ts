import type { Turn } from '#client/controller.ts';
import { refTo } from '#client/object-key.ts';
import { ControllerRevision as ControllerRevisionKind } from '#kinds/generated/handles.ts';
import type { ControllerRevision } from '#kinds/generated/types/apps_v1.ts';
import type { PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject, JsonObject } from '#machinery/meta.ts';
import { controllerReference, isControlledBy } from './owners.ts';
import { canonicalJson, stableHash } from './template-hash.ts';

export const revisionHashLabel = 'controller-revision-hash';

/**
 * What a revision keeps: a patch that puts the template back. Its members are in order, as Go writes them: clients compare
 * the text with one that they make themselves.
 */
function dataOf(template: PodTemplateSpec): JsonObject {
  return JSON.parse(canonicalJson({ spec: { template: { ...template, $patch: 'replace' } } }));
}

/** Oldest first. */
function byRevision(left: ControllerRevision, right: ControllerRevision): number {
  return left.revision - right.revision || ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1);
}

/** The template that a revision keeps. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const data = revision.data as { readonly spec?: { readonly template?: PodTemplateSpec } } | undefined;
  const { $patch: _, ...template } = (data?.spec?.template ?? {}) as PodTemplateSpec & { readonly $patch?: string };
  return template;
}

export interface RevisionOwner<T extends ApiObject> {
  readonly kind: Kind<T>;
  readonly owner: T;
  readonly template: PodTemplateSpec;
  /** Labels of the revisions: those that the owner selects by, so that orphans can be found. */
  readonly labels: Readonly<Record<string, string>>;
  readonly collisionCount: number | undefined;
}

/**
 * The revision of the owner's template: the newest if it is that already, an older one made newest again after a
 * rollback, or a new one.
 * @returns the revision, and the collision count when a name was taken by something else.
 */
export async function syncRevision<T extends ApiObject>(
  { client, signal }: Turn,
  options: RevisionOwner<T>,
  revisions: readonly ControllerRevision[],
): Promise<{ readonly revision: ControllerRevision; readonly collisionCount: number | undefined }> {
  const sorted = [...revisions].sort(byRevision);
  const newest = sorted.at(-1);
  const next = (newest?.revision ?? 0) + 1;
  const wanted = canonicalJson(dataOf(options.template));
  const equal = sorted.filter(({ data }) => canonicalJson(data) === wanted).at(-1);
  if (equal !== undefined && equal === newest) return { revision: equal, collisionCount: options.collisionCount };
  if (equal !== undefined) {
    const revision = await client.update(ControllerRevisionKind, { ...equal, revision: next }, { signal });
    return { revision, collisionCount: options.collisionCount };
  }
  return await createRevision({ client, signal }, options, next);
}

async function createRevision<T extends ApiObject>(
  { client, signal }: Turn,
  { kind, owner, template, labels, collisionCount }: RevisionOwner<T>,
  number: number,
): Promise<{ readonly revision: ControllerRevision; readonly collisionCount: number | undefined }> {
  for (let count = collisionCount; ; count = (count ?? 0) + 1) {
    const hash = stableHash(template, count);
    const revision: ControllerRevision = {
      metadata: {
        name: `${owner.metadata.name}-${hash}`,
        namespace: owner.metadata.namespace ?? '',
        labels: { ...labels, [revisionHashLabel]: hash },
        annotations: { ...owner.metadata.annotations },
        ownerReferences: [controllerReference(kind, owner)],
      },
      data: dataOf(template) as unknown as NonNullable<ControllerRevision['data']>,
      revision: number,
    };
    try {
      return { revision: await client.create(ControllerRevisionKind, revision, { signal }), collisionCount: count };
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error;
      const existing = await client.get(ControllerRevisionKind, refTo(revision), { signal });
      const isSame = canonicalJson(existing.data) === canonicalJson(revision.data);
      if (isSame && isControlledBy(existing, owner)) return { revision: existing, collisionCount: count };
    }
  }
}

/** Deletes the oldest revisions that no pod uses, beyond the limit. */
export async function trimRevisions(
  { client, signal }: Turn,
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): Promise<void> {
  const idle = revisions.filter((revision) => !isLive(revision)).sort(byRevision);
  for (const revision of idle.slice(0, Math.max(0, idle.length - limit))) {
    await client.delete(ControllerRevisionKind, refTo(revision), { signal }).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error;
    });
  }
}
