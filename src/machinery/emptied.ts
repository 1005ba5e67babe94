type Path = readonly (string | number)[];

/** So many places are remembered. */
const maximumPlaces = 1000;

/** What is at a path; undefined where the path leads nowhere. */
export function valueAt(object: object, path: Path): unknown {
  let value: unknown = object;
  for (const step of path) value = (value as Readonly<Record<string, unknown>> | undefined | null)?.[step];
  return value;
}

/**
 * Where decoding left out an empty list or map. Upstream tells one from none as long as an object is in memory, but not
 * in what it keeps: this is what that shows in.
 */
export class Emptied {
  readonly #places: Path[] = [];
  /** Paths of atomic values, inside a list of which it was: upstream compares these to the last member. */
  readonly atoms: Path[] = [];
  /** At each level of the walk, how long the path of the outermost atomic value around it is; 0: there is none. */
  readonly #atomAt: number[] = [];
  /** At each level, the lists from that value to there. */
  readonly #listsAt: number[] = [];
  readonly #findsAtoms: boolean;

  /** @param findsAtoms whether there is an older object, which atomic values may differ from */
  constructor(findsAtoms: boolean) {
    this.#findsAtoms = findsAtoms;
  }

  /** Whether there was one. */
  get isAny(): boolean {
    return this.#places.length > 0;
  }

  /** Another walk over the same object begins. */
  begin(): void {
    this.#atomAt.length = 0;
    this.#listsAt.length = 0;
  }

  /** The walk enters an object, whose path is so long. */
  enterObject(isAtomic: boolean, depth: number): void {
    if (this.#findsAtoms) this.#enter(isAtomic ? depth : 0, 0);
  }

  enterList(isAtomic: boolean, depth: number): void {
    if (this.#findsAtoms) this.#enter(isAtomic ? depth : 0, 1);
  }

  #enter(own: number, lists: number): void {
    const atom = this.#atomAt.at(-1) || own;
    this.#atomAt.push(atom);
    this.#listsAt.push((this.#listsAt.at(-1) ?? 0) + (atom > 0 ? lists : 0));
  }

  leave(): void {
    this.#atomAt.pop();
    this.#listsAt.pop();
  }

  /** @param path of what holds the field */
  note(path: Path, field: string): void {
    if (this.#places.length < maximumPlaces) this.#places.push([...path, field]);
    if ((this.#listsAt.at(-1) ?? 0) === 0) return;
    const found = path.slice(0, this.#atomAt.at(-1));
    if (this.atoms.at(-1)?.join() !== found.join()) this.atoms.push(found);
  }

  /** Whether there is a place outside the fields `but` where `object` still has nothing: no default took it. */
  isIn(object: object, but: readonly string[]): boolean {
    return this.#places.some((path) => !but.includes(String(path[0])) && valueAt(object, path) === undefined);
  }
}
