/** Who a figure is of. */
export type Side = 'Proa' | 'official' | 'bare';

/** One line of the table. */
interface Row {
  readonly what: string;
  readonly unit: string;
  /** More is better. */
  readonly higher: boolean;
  readonly target: string;
  readonly figures: Partial<Record<Side, number>>;
}

/** The figures of a run, said as they come and printed together at the end. */
export class FigureTable {
  readonly #rows = new Map<string, Row>();

  note(
    what: string,
    unit: string,
    target: string,
    { higher, by, value }: { readonly higher: boolean; readonly by: Side; readonly value: number },
  ): void {
    const row: Row = this.#rows.get(what) ?? { what, unit, higher, target, figures: {} };
    row.figures[by] = value;
    this.#rows.set(what, row);
    process.stderr.write(`${by.padEnd(9)} ${what}: ${value.toFixed(1)} ${unit}\n`);
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()];
  }

  render(): string {
    const lines = this.rows.map(({ what, unit, higher, target, figures }) => {
      const { Proa: proa, official, bare } = figures;
      const ratio =
        proa === undefined || official === undefined
          ? ''
          : `${(higher ? proa / official : official / proa).toFixed(1)} ×`;
      const said = (value: number | undefined): string => (value === undefined ? '' : `${written(value)} ${unit}`);
      return `| ${what} | ${said(proa)} | ${said(official)} | ${ratio} | ${target} | ${said(bare)} |`;
    });
    const head = '| what | Proa | official | better by | target | bare server |';
    return [head, '|---|---|---|---|---|---|', ...lines].join('\n');
  }
}

function written(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}
