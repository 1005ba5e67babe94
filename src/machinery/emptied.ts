type Path = readonly (string | number)[];

interface Level {
  /** How long the path of the outermost atomic value is around this one; 0: there is none. */
  readonly atom: number;
  /** Lists from there to here. */
  readonly lists: number;
}

/** So many places are remembered. */
const maximumPlaces = 1000;

/** What is at a path; undefined where the path leads nowhere. */
export function valueAt(object: object, path: Path): unknown {
  let value: unknown = object;
  for (const step of path) value = (value as Readonly<Record<string, unknown>> | undefined | null)?.[step];
  return value;
}

const outside: Level = { atom: 0, lists: 0 };

/**
 * Where decoding left out an empty list or map. Upstream tells one from none as long as an object is in memory, but not
 * in what it keeps: this is what that shows in.
 */
export class Emptied {
  readonly #places: Path[] = [];
  /** Paths of atomic values, inside a list of which it was: upstream compares these to the last member. */
  readonly atoms: Path[] = [];
  #levels: Level[] = [];

  /** Another walk over the same object begins. */
  begin(): void {
    this.#levels = [];
  }

  /** The walk enters a list or an object, whose path is so long. */
  enter(what: { readonly isList: boolean; readonly isAtomic: boolean }, depth: number): void {
    const around = this.#levels.at(-1) ?? outside;
    const atom = around.atom === 0 && what.isAtomic ? depth : around.atom;
    this.#levels.push({ atom, lists: around.lists + (what.isList && atom > 0 ? 1 : 0) });
  }

  leave(): void {
    this.#levels.pop();
  }

  /** @param path of what holds the field */
  note(path: Path, field: string): void {
    if (this.#places.length < maximumPlaces) this.#places.push([...path, field]);
    const { atom, lists } = this.#levels.at(-1) ?? outside;
    if (lists === 0) return;
    const found = path.slice(0, atom);
    if (this.atoms.at(-1)?.join() !== found.join()) this.atoms.push(found);
  }

  /** Whether there is a place outside the fields `but` where `object` still has nothing: no default took it. */
  isIn(object: object, but: readonly string[]): boolean {
    return this.#places.some((path) => !but.includes(String(path[0])) && valueAt(object, path) === undefined);
  }
}
