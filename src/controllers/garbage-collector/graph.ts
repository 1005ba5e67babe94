import type { Kind } from '#kinds/kind.ts';
import type { ApiObject, OwnerReference } from '#machinery/meta.ts';

/** Held by an object that waits for its dependents to be deleted first. */
export const foregroundFinalizer = 'foregroundDeletion';
/** Held by an object whose dependents are to be kept. */
export const orphanFinalizer = 'orphan';

/** An object as garbage collection sees it. */
export interface GraphNode {
  readonly uid: string;
  /** Undefined: only known from references to it, whether or not it is there. */
  kind: Kind | undefined;
  namespace: string | undefined;
  name: string;
  owners: readonly OwnerReference[];
  finalizers: readonly string[];
  isBeingDeleted: boolean;
  /** Most objects own nothing. */
  dependents: ReadonlySet<GraphNode>;
}

const noOwners: readonly OwnerReference[] = [];
const noFinalizers: readonly string[] = [];
const noDependents: ReadonlySet<GraphNode> = new Set();
const noChange: GraphChange = { inspect: [], orphan: [] };

/** Somebody has to look at these objects again. */
export interface GraphChange {
  /** May have to go, or may go on going. */
  readonly inspect: readonly GraphNode[];
  /** Are being deleted and leave their dependents behind. */
  readonly orphan: readonly GraphNode[];
}

/** Who owns whom, over all kinds, kept up to date from their informers. Has nothing of who owns nothing and nobody owns. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  nodes(): Iterable<GraphNode> {
    return this.#nodes.values();
  }

  /** An object was added or changed. */
  set(kind: Kind, object: ApiObject): GraphChange {
    const {
      uid = '',
      namespace,
      name = '',
      ownerReferences = noOwners,
      finalizers = noFinalizers,
      deletionTimestamp,
    } = object.metadata;
    // Most objects neither have owners nor are any: of those there is nothing to know.
    if (ownerReferences.length === 0 && deletionTimestamp === undefined && !this.#nodes.has(uid)) return noChange;
    const node = this.#nodeFor(uid, name);
    const before = { owners: node.owners, started: node.isBeingDeleted, finalizers: node.finalizers };
    const wasUnknown = node.kind === undefined;
    node.kind = kind;
    node.namespace = namespace;
    node.name = name;
    node.owners = ownerReferences;
    node.finalizers = finalizers;
    node.isBeingDeleted = deletionTimestamp !== undefined;
    if (ownerReferences === before.owners && !node.isBeingDeleted) return noChange;
    const inspect = new Set<GraphNode>(this.#linkOwners(node, before.owners));
    // The object may have lost an owner, or come with one that is gone already.
    if (ownerReferences.length > 0 && (wasUnknown || ownerReferences !== before.owners)) inspect.add(node);
    const orphan: GraphNode[] = [];
    if (node.isBeingDeleted) {
      const began = (finalizer: string) =>
        finalizers.includes(finalizer) && !(before.started && before.finalizers.includes(finalizer));
      if (began(orphanFinalizer)) orphan.push(node);
      if (began(foregroundFinalizer)) {
        inspect.add(node);
        for (const dependent of node.dependents) inspect.add(dependent);
      }
    }
    return { inspect: [...inspect], orphan };
  }

  /** An object is gone. */
  delete(uid: string): GraphChange {
    const node = this.#nodes.get(uid);
    if (node === undefined) return noChange;
    const inspect = new Set<GraphNode>(node.dependents);
    for (const owner of this.#ownersOf(node.owners)) {
      removeDependent(owner, node);
      // One less to wait for.
      if (isDeletingDependents(owner)) inspect.add(owner);
      this.#dropIfUnreferenced(owner);
    }
    node.kind = undefined;
    node.owners = noOwners;
    node.finalizers = noFinalizers;
    this.#dropIfUnreferenced(node);
    return { inspect: [...inspect], orphan: [] };
  }

  /** @returns owners that wait for one dependent less. */
  #linkOwners(node: GraphNode, before: readonly OwnerReference[]): readonly GraphNode[] {
    if (before === node.owners) return [];
    const unblocked: GraphNode[] = [];
    const after = new Map(node.owners.map((reference) => [reference.uid, reference]));
    for (const reference of before) {
      const owner = this.#nodes.get(reference.uid);
      if (owner === undefined) continue;
      const kept = after.get(reference.uid);
      if (kept === undefined) removeDependent(owner, node);
      if (reference.blockOwnerDeletion === true && kept?.blockOwnerDeletion !== true && isDeletingDependents(owner)) {
        unblocked.push(owner);
      }
      this.#dropIfUnreferenced(owner);
    }
    for (const { uid, name } of node.owners) addDependent(this.#nodeFor(uid, name), node);
    return unblocked;
  }

  #ownersOf(references: readonly OwnerReference[]): readonly GraphNode[] {
    return references.flatMap(({ uid }) => this.#nodes.get(uid) ?? []);
  }

  #nodeFor(uid: string, name: string): GraphNode {
    let node = this.#nodes.get(uid);
    if (node === undefined) {
      node = {
        uid,
        kind: undefined,
        namespace: undefined,
        name,
        owners: noOwners,
        finalizers: noFinalizers,
        isBeingDeleted: false,
        dependents: noDependents,
      };
      this.#nodes.set(uid, node);
    }
    return node;
  }

  #dropIfUnreferenced(node: GraphNode): void {
    if (node.kind === undefined && node.dependents.size === 0) this.#nodes.delete(node.uid);
  }
}

function addDependent(owner: GraphNode, node: GraphNode): void {
  if (owner.dependents === noDependents) owner.dependents = new Set([node]);
  else (owner.dependents as Set<GraphNode>).add(node);
}

function removeDependent(owner: GraphNode, node: GraphNode): void {
  if (owner.dependents !== noDependents) (owner.dependents as Set<GraphNode>).delete(node);
}

export function isDeletingDependents(node: GraphNode): boolean {
  return node.isBeingDeleted && node.finalizers.includes(foregroundFinalizer);
}

/** Dependents that the foreground deletion of `node` waits for. */
export function blockingDependents(node: GraphNode): readonly GraphNode[] {
  return [...node.dependents].filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
  );
}
