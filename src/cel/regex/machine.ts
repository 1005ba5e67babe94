import { isWord } from './classes.ts';
import { type Assertion, type Pattern, PatternError } from './syntax.ts';

/** What a machine does at one place. Of two ways on, the first is preferred. */
type Instruction =
  | { readonly kind: 'set'; readonly accepts: (codePoint: number) => boolean; next: number }
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'assertion'; readonly of: Assertion; next: number }
  | { readonly kind: 'jump'; next: number }
  | { readonly kind: 'match' };

/** Where in a text (code points) a match begins and ends. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const maxInstructions = 50_000;

/**
 * A machine that follows all ways through a pattern at once (Thompson's construction), so that a search takes time
 * proportional to text times pattern, whatever both are. Finds what RE2 finds: the leftmost match, and of those the
 * one that the pattern's order prefers.
 */
export class Machine {
  readonly #program: Instruction[] = [];

  /** @throws PatternError when the machine would become too large. */
  constructor(pattern: Pattern) {
    this.#emit(pattern);
    this.#add({ kind: 'match' });
  }

  #add(instruction: Instruction): number {
    if (this.#program.length >= maxInstructions) throw new PatternError('error parsing regexp: expression too large');
    return this.#program.push(instruction) - 1;
  }

  #emit(pattern: Pattern): void {
    const here = (): number => this.#program.length;
    switch (pattern.kind) {
      case 'empty':
        return;
      case 'set':
        this.#add({ kind: 'set', accepts: pattern.accepts, next: here() + 1 });
        return;
      case 'assertion':
        this.#add({ kind: 'assertion', of: pattern.of, next: here() + 1 });
        return;
      case 'group':
        this.#emit(pattern.part);
        return;
      case 'sequence':
        for (const part of pattern.parts) this.#emit(part);
        return;
      case 'choice':
        this.#emitChoice(pattern.parts);
        return;
      case 'repeat':
        this.#emitRepeat(pattern);
    }
  }

  #emitChoice(parts: readonly Pattern[]): void {
    const ends: { next: number }[] = [];
    for (const [index, part] of parts.entries()) {
      if (index === parts.length - 1) {
        this.#emit(part);
        break;
      }
      const split = { kind: 'split' as const, first: this.#program.length + 1, second: 0 };
      this.#add(split);
      this.#emit(part);
      const jump = { kind: 'jump' as const, next: 0 };
      this.#add(jump);
      ends.push(jump);
      split.second = this.#program.length;
    }
    for (const end of ends) end.next = this.#program.length;
  }

  #emitRepeat({ part, min, max, greedy }: Extract<Pattern, { kind: 'repeat' }>): void {
    for (let count = 0; count < min; count++) this.#emit(part);
    if (max === Number.POSITIVE_INFINITY) {
      const split = this.#emitSplit(greedy);
      this.#emit(part);
      this.#add({ kind: 'jump', next: split.at });
      split.leave(this.#program.length);
      return;
    }
    const splits = [];
    for (let count = min; count < max; count++) {
      splits.push(this.#emitSplit(greedy));
      this.#emit(part);
    }
    for (const split of splits) split.leave(this.#program.length);
  }

  /** A choice between going on right here and leaving. */
  #emitSplit(greedy: boolean): { readonly at: number; leave(to: number): void } {
    const on = this.#program.length + 1;
    const split = { kind: 'split' as const, first: on, second: on };
    const at = this.#add(split);
    return {
      at,
      leave: (to) => {
        if (greedy) split.second = to;
        else split.first = to;
      },
    };
  }

  /** The first match at or after `from`. With `anywhere`, some match will do: only its existence counts. */
  search(text: readonly number[], from = 0, { anywhere = false } = {}): Span | undefined {
    let current = new Threads(this.#program.length);
    let next = new Threads(this.#program.length);
    let found: Span | undefined;
    for (let at = from; at <= text.length; at++) {
      if (found === undefined) this.#follow(current, 0, at, text, at);
      if (current.size === 0 && found !== undefined) break;
      for (let index = 0; index < current.size; index++) {
        const instruction = this.#program[current.places[index]!]!;
        if (instruction.kind === 'match') {
          found = { start: current.starts[index]!, end: at };
          if (anywhere) return found;
          // Threads behind this one are less preferred.
          break;
        }
        if (instruction.kind === 'set' && at < text.length && instruction.accepts(text[at]!)) {
          this.#follow(next, instruction.next, at + 1, text, current.starts[index]!);
        }
      }
      [current, next] = [next, current];
      next.clear();
    }
    return found;
  }

  /** Adds what can be reached from a place without reading, in order of preference. */
  #follow(threads: Threads, from: number, at: number, text: readonly number[], start: number): void {
    const pending = [from];
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (!threads.visit(place)) continue;
      const instruction = this.#program[place]!;
      if (instruction.kind === 'jump') pending.push(instruction.next);
      else if (instruction.kind === 'split') pending.push(instruction.second, instruction.first);
      else if (instruction.kind === 'assertion') {
        if (holds(instruction.of, at, text)) pending.push(instruction.next);
      } else threads.add(place, start);
    }
  }
}

/** The ways that are being followed, the preferred ones first, each place at most once. */
class Threads {
  readonly places: Uint32Array;
  readonly starts: Float64Array;
  readonly #visited: Uint32Array;
  #generation = 1;
  size = 0;

  constructor(length: number) {
    this.places = new Uint32Array(length);
    this.starts = new Float64Array(length);
    this.#visited = new Uint32Array(length);
  }

  visit(place: number): boolean {
    if (this.#visited[place] === this.#generation) return false;
    this.#visited[place] = this.#generation;
    return true;
  }

  add(place: number, start: number): void {
    this.places[this.size] = place;
    this.starts[this.size] = start;
    this.size++;
  }

  clear(): void {
    this.size = 0;
    this.#generation++;
  }
}

function holds(assertion: Assertion, at: number, text: readonly number[]): boolean {
  switch (assertion) {
    case 'textStart':
      return at === 0;
    case 'textEnd':
      return at === text.length;
    case 'lineStart':
      return at === 0 || text[at - 1] === 10;
    case 'lineEnd':
      return at === text.length || text[at] === 10;
    default: {
      const before = at > 0 && isWord(text[at - 1]!);
      const after = at < text.length && isWord(text[at]!);
      return (before !== after) === (assertion === 'wordBoundary');
    }
  }
}
