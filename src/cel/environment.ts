import type { Library, Overload } from './library/library.ts';
import type { Macro } from './syntax/macros.ts';
import { joinProviders, type TypeProvider } from './types/provider.ts';
import type { CelType } from './types/types.ts';

export interface EnvironmentOptions {
  /** Prefix under which unqualified names are looked for first, for example `google.protobuf`. */
  readonly container?: string;
  readonly variables?: Readonly<Record<string, CelType>>;
  readonly libraries?: readonly Library[];
  readonly types?: readonly TypeProvider[];
  /** Lists and maps in an expression must have items of one type. */
  readonly homogeneousLiterals?: boolean;
  /** Fields that are no identifiers may be written between backticks. */
  readonly quotedFields?: boolean;
  /** Literals of durations, timestamps and regular expressions are checked when compiling. */
  readonly checkLiterals?: boolean;
  /** `has(a.b)` costs as much as `a.b`. Default: true. */
  readonly presenceTestHasCost?: boolean;
}

/** What an expression can refer to. Never changes: `extend` makes a larger one. */
export class CelEnvironment {
  readonly container: string;
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
  readonly macros: ReadonlyMap<string, Macro>;
  readonly types: TypeProvider;
  readonly homogeneousLiterals: boolean;
  readonly checkLiterals: boolean;
  readonly quotedFields: boolean;
  readonly presenceTestHasCost: boolean;
  readonly #options: EnvironmentOptions;

  /** @param base shares what its libraries bring, when `options` begin with the very same ones. */
  constructor(options: EnvironmentOptions, base?: CelEnvironment) {
    this.#options = options;
    this.container = options.container ?? '';
    this.variables = new Map(Object.entries(options.variables ?? {}));
    const libraries = options.libraries ?? [];
    this.types = joinProviders([...(options.types ?? []), ...libraries.flatMap(({ types }) => types ?? [])]);
    this.homogeneousLiterals = options.homogeneousLiterals ?? false;
    this.checkLiterals = options.checkLiterals ?? false;
    this.quotedFields = options.quotedFields ?? false;
    this.presenceTestHasCost = options.presenceTestHasCost ?? true;
    const { functions, macros } = base ?? collect(libraries);
    this.functions = functions;
    this.macros = macros;
  }

  /** This environment with more in it. Scalar options of `more` win. */
  extend(more: EnvironmentOptions): CelEnvironment {
    const own = this.#options;
    const options = {
      ...own,
      ...more,
      variables: { ...own.variables, ...more.variables },
      libraries: [...(own.libraries ?? []), ...(more.libraries ?? [])],
      types: [...(more.types ?? []), ...(own.types ?? [])],
    };
    return new CelEnvironment(options, more.libraries === undefined ? this : undefined);
  }
}

/** Functions by name and macros by the form of their calls. */
function collect(libraries: readonly Library[]): Pick<CelEnvironment, 'functions' | 'macros'> {
  const functions = new Map<string, Overload[]>();
  const macros = new Map<string, Macro>();
  for (const { overloads = [], macros: own = [] } of libraries) {
    for (const overload of overloads) {
      const known = functions.get(overload.function);
      if (known === undefined) functions.set(overload.function, [overload]);
      else known.push(overload);
    }
    for (const macro of own) macros.set(`${macro.name}/${macro.member}/${macro.arity}`, macro);
  }
  return { functions, macros };
}
