import type { ElementId, ServicePlan } from './plan.ts';
import type { DataMap } from './rules.ts';

/** What has to change in the kernel, as a batch that nft applies in one step. */
export interface ElementChanges {
  readonly removed: ReadonlyMap<ElementId, string>;
  readonly added: ReadonlyMap<ElementId, string>;
}

/**
 * Who wants which element. Several services may want the same one (two with one external IP, or with one endpoint):
 * the first holds it until it lets go.
 */
export class ElementTable {
  readonly #wanted = new Map<ElementId, Map<string, string>>();
  readonly #byOwner = new Map<string, ReadonlyMap<ElementId, string>>();
  readonly #applied = new Map<ElementId, string>();
  readonly #dirty = new Set<ElementId>();

  /** Replaces all that `owner` wants. */
  set(owner: string, elements: ServicePlan['elements']): void {
    for (const id of this.#byOwner.get(owner)?.keys() ?? []) {
      if (!elements.has(id)) this.#drop(owner, id);
    }
    for (const [id, value] of elements) {
      const owners = this.#wanted.get(id) ?? new Map<string, string>();
      if (owners.get(owner) === value) continue;
      owners.set(owner, value);
      this.#wanted.set(id, owners);
      this.#dirty.add(id);
    }
    if (elements.size === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, elements);
  }

  /** The difference between what is wanted and what was last said to be applied; nothing is dirty afterwards. */
  take(): ElementChanges {
    const removed = new Map<ElementId, string>();
    const added = new Map<ElementId, string>();
    for (const id of this.#dirty) {
      const before = this.#applied.get(id);
      const after = this.#wanted.get(id)?.values().next().value;
      if (before === after) continue;
      if (before !== undefined) removed.set(id, before);
      if (after !== undefined) added.set(id, after);
      if (after === undefined) this.#applied.delete(id);
      else this.#applied.set(id, after);
    }
    this.#dirty.clear();
    return { removed, added };
  }

  /** Forgets what was applied: the next `take` answers everything, as added. */
  reset(): void {
    this.#applied.clear();
    for (const id of this.#wanted.keys()) this.#dirty.add(id);
  }

  #drop(owner: string, id: ElementId): void {
    const owners = this.#wanted.get(id);
    owners?.delete(owner);
    if (owners?.size === 0) this.#wanted.delete(id);
    this.#dirty.add(id);
  }
}

/** Elements in one statement; nft reads a longer line no slower, but its messages quote it whole. */
const elementsPerStatement = 1000;

/** The changes as statements of an nft file. */
export function renderChanges(table: string, changes: ElementChanges): string {
  const lines: string[] = [];
  for (const [verb, elements] of [
    ['delete', changes.removed],
    ['add', changes.added],
  ] as const) {
    for (const [map, members] of byMap(elements)) {
      for (let at = 0; at < members.length; at += elementsPerStatement) {
        const part = members
          .slice(at, at + elementsPerStatement)
          .map(([key, value]) => (verb === 'add' && value !== '' ? `${key} : ${value}` : key));
        lines.push(`${verb} element ip ${table} ${map} { ${part.join(', ')} }\n`);
      }
    }
  }
  return lines.join('');
}

function byMap(elements: ReadonlyMap<ElementId, string>): ReadonlyMap<DataMap, readonly (readonly [string, string])[]> {
  const maps = new Map<DataMap, (readonly [string, string])[]>();
  for (const [id, value] of elements) {
    const blank = id.indexOf(' ');
    // The type of an id says that a map's name stands in front of the blank.
    const map = id.slice(0, blank) as DataMap;
    const members = maps.get(map) ?? [];
    members.push([id.slice(blank + 1), value]);
    maps.set(map, members);
  }
  return maps;
}
