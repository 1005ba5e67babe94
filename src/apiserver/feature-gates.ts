import table from '#kinds/generated/feature-gates.json' with { type: 'json' };

type GateTable = Readonly<Record<string, { readonly stage: string; readonly enabled: boolean }>>;

/** The official feature gates with their defaults, and what the operator set. */
export class FeatureGates {
  readonly #overrides: Readonly<Record<string, boolean>>;

  /** @throws Error for a gate that does not exist or that is locked to its default. */
  constructor(overrides: Readonly<Record<string, boolean>>) {
    for (const gate of Object.keys(overrides)) {
      if (!Object.hasOwn(table, gate)) throw new Error(`unrecognized feature gate: ${gate}`);
    }
    this.#overrides = overrides;
  }

  enabled(gate: string): boolean {
    return this.#overrides[gate] ?? (table as GateTable)[gate]?.enabled ?? false;
  }

  /** Each gate with its stage and whether it is on: what `/metrics` shows. */
  all(): readonly { readonly name: string; readonly stage: string; readonly enabled: boolean }[] {
    return Object.entries(table as GateTable).map(([name, { stage }]) => ({
      name,
      stage,
      enabled: this.enabled(name),
    }));
  }
}
