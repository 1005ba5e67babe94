import type { Authorizer, Decision, DecisionCount } from './authorizer.ts';

type Cell = { -readonly [Key in keyof DecisionCount]: DecisionCount[Key] };

/** Counts what authorisers decide; a changed configuration counts on where it has the same ones. */
export class DecisionCounts {
  readonly #cells = new Map<string, Cell>();

  /** The same authoriser, counted. Having no opinion is no decision. */
  counting({ type, name }: Pick<DecisionCount, 'type' | 'name'>, authorizer: Authorizer): Authorizer {
    const allowed = this.#cell({ type, name, decision: 'allowed', count: 0 });
    const denied = this.#cell({ type, name, decision: 'denied', count: 0 });
    const count = (decision: Decision): Decision => {
      if (decision.outcome === 'allow') allowed.count++;
      else if (decision.outcome === 'deny') denied.count++;
      return decision;
    };
    return {
      authorize(attributes) {
        const answer = authorizer.authorize(attributes);
        return answer instanceof Promise ? answer.then(count) : count(answer);
      },
      rulesFor: (user, namespace) => authorizer.rulesFor?.(user, namespace) ?? { rules: [] },
    };
  }

  *read(): Generator<DecisionCount> {
    for (const cell of this.#cells.values()) if (cell.count > 0) yield cell;
  }

  #cell(cell: Cell): Cell {
    const key = `${cell.type} ${cell.name} ${cell.decision}`;
    const known = this.#cells.get(key) ?? cell;
    this.#cells.set(key, known);
    return known;
  }
}
