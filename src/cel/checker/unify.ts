import { type CelType, dynType, isDynamic, isOptional, sameType } from '../types/types.ts';

/** What type variables stand for so far. */
export class Substitution {
  readonly #bound = new Map<string, CelType>();
  /** What was bound when, so that a try can be taken back. */
  readonly #trail: { readonly name: string; readonly before: CelType | undefined }[] = [];

  find(type: CelType): CelType | undefined {
    return type.kind === 'param' ? this.#bound.get(type.name) : undefined;
  }

  bind({ name }: CelType, to: CelType): void {
    this.#trail.push({ name, before: this.#bound.get(name) });
    this.#bound.set(name, to);
  }

  /** Runs `attempt`; where it answers false, what it bound is forgotten. */
  try(attempt: () => boolean): boolean {
    const mark = this.#trail.length;
    if (attempt()) return true;
    while (this.#trail.length > mark) {
      const { name, before } = this.#trail.pop()!;
      if (before === undefined) this.#bound.delete(name);
      else this.#bound.set(name, before);
    }
    return false;
  }

  /** The type with its variables replaced; those that stand for nothing yet become dyn when asked. */
  apply(type: CelType, { unboundToDyn = false } = {}): CelType {
    const bound = this.find(type);
    if (bound !== undefined) return this.apply(bound, { unboundToDyn });
    if (type.kind === 'param') return unboundToDyn ? dynType : type;
    if (type.parameters.length === 0) return type;
    return { ...type, parameters: type.parameters.map((parameter) => this.apply(parameter, { unboundToDyn })) };
  }
}

/** Whether values of `from` may stand where `to` is asked for; binds type variables of both. */
export function unify(known: Substitution, to: CelType, from: CelType): boolean {
  if (from.kind === 'param') {
    const outcome = tryBind(known, to, from);
    if (outcome !== 'impossible') return outcome === 'bound';
  }
  if (to.kind === 'param') return tryBind(known, from, to) === 'bound';
  if (isDynamic(to) || isDynamic(from)) return true;
  if (to.kind === 'null') return isNullable(from);
  if (from.kind === 'null') return isNullable(to);
  if (from.kind === 'wrapper') return unify(known, to, from.parameters[0]!);
  if (to.kind === 'wrapper') return unify(known, to.parameters[0]!, from);
  if (to.kind !== from.kind) return false;
  switch (to.kind) {
    case 'type':
      return true;
    case 'opaque':
    case 'list':
    case 'map':
      return to.name === from.name && unifyAll(known, to.parameters, from.parameters);
    default:
      return to.name === from.name;
  }
}

export function unifyAll(known: Substitution, to: readonly CelType[], from: readonly CelType[]): boolean {
  return to.length === from.length && to.every((type, index) => unify(known, type, from[index]!));
}

function isNullable({ kind }: CelType): boolean {
  return ['null', 'opaque', 'struct', 'any', 'duration', 'timestamp', 'wrapper'].includes(kind);
}

/** Makes `variable` stand for `type`. `taken`: it stands for something else; `impossible`: it occurs within `type`. */
function tryBind(known: Substitution, type: CelType, variable: CelType): 'bound' | 'taken' | 'impossible' {
  if (sameType(type, variable)) return 'bound';
  const bound = known.find(variable);
  if (bound !== undefined) {
    if (sameType(type, bound)) return 'bound';
    if (!unify(known, type, bound)) return 'taken';
    const general = mostGeneral(type, bound);
    if (!occursIn(known, variable, general)) known.bind(variable, general);
    return 'bound';
  }
  if (occursIn(known, variable, type)) return 'impossible';
  known.bind(variable, type);
  return 'bound';
}

function occursIn(known: Substitution, variable: CelType, type: CelType): boolean {
  if (sameType(variable, type)) return true;
  if (type.kind === 'param') {
    const bound = known.find(type);
    return bound !== undefined && occursIn(known, variable, bound);
  }
  return type.parameters.some((parameter) => occursIn(known, variable, parameter));
}

/** Of two types that unify, the one that says less. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return saysNoMore(a, b) ? a : b;
}

function saysNoMore(a: CelType, b: CelType): boolean {
  if (isDynamic(a) || a.kind === 'param') return true;
  if (isDynamic(b) || b.kind === 'param') return false;
  if (a.kind === 'null') return false;
  if (a.kind === 'wrapper' && b.kind !== 'wrapper') return true;
  if (a.kind !== b.kind) return b.kind === 'null';
  if (a.kind === 'type') return true;
  if (a.kind === 'list' || a.kind === 'map' || isOptional(a) || a.kind === 'opaque') {
    return (
      a.name === b.name &&
      a.parameters.length === b.parameters.length &&
      a.parameters.every((parameter, index) => saysNoMore(parameter, b.parameters[index]!))
    );
  }
  return sameType(a, b);
}
