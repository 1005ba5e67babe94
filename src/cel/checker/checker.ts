import type { CelEnvironment } from '../environment.ts';
import type { Issue } from '../issues.ts';
import type { Overload } from '../library/library.ts';
import type {
  Call,
  Comprehension,
  Expression,
  ListExpression,
  MapExpression,
  Select,
  StructExpression,
} from '../syntax/ast.ts';
import type { Parsed } from '../syntax/parser.ts';
import {
  boolType,
  type CelType,
  dynType,
  errorType,
  formatType,
  intType,
  isDynamic,
  isOptional,
  listType,
  mapType,
  optionalType,
  sameType,
  typeParameter,
} from '../types/types.ts';
import { runtimeType } from '../values/runtime-type.ts';
import { literalIssue } from './literals.ts';
import { type Constructed, type Resolved, Scope } from './scope.ts';
import { mostGeneral, Substitution, unify, unifyAll } from './unify.ts';

/** Which function a call means. */
export interface CallReference {
  readonly function: string;
  /** Those that the types of the operands allow; evaluation chooses among them. */
  readonly overloads: readonly Overload[];
  /** The call's target is an operand, not a part of the function's name. */
  readonly hasReceiver: boolean;
}

/** An expression and what the checker knows of it, by the ids of its parts. */
export interface Checked {
  readonly expression: Expression;
  readonly type: CelType;
  readonly types: ReadonlyMap<number, CelType>;
  /** Identifiers, and selections that are one qualified name. */
  readonly names: ReadonlyMap<number, Resolved>;
  readonly calls: ReadonlyMap<number, CallReference>;
  /** Types that are constructed. */
  readonly structs: ReadonlyMap<number, Constructed>;
}

export interface CheckOptions {
  /** What is wrong is left to evaluation: names that nothing declares are variables, types that disagree are dyn. */
  readonly lenient?: boolean;
}

/** Finds the type of every part. Issues come in no particular order. */
export function check(
  parsed: Parsed,
  environment: CelEnvironment,
  options: CheckOptions = {},
): Checked | { readonly issues: readonly Issue[] } {
  return new Checker(parsed, environment, options).run();
}

class Checker {
  readonly #parsed: Parsed;
  readonly #environment: CelEnvironment;
  readonly #types = new Map<number, CelType>();
  readonly #names = new Map<number, Resolved>();
  readonly #calls = new Map<number, CallReference>();
  readonly #structs = new Map<number, Constructed>();
  readonly #issues: Issue[] = [];
  readonly #known = new Substitution();
  #scope: Scope;
  #variables = 0;
  /** Calls around this place within which literals may mix types. */
  #mixing = 0;
  readonly #lenient: boolean;

  constructor(parsed: Parsed, environment: CelEnvironment, { lenient = false }: CheckOptions) {
    this.#lenient = lenient;
    this.#parsed = parsed;
    this.#environment = environment;
    this.#scope = new Scope(environment);
  }

  run(): Checked | { readonly issues: readonly Issue[] } {
    const { expression } = this.#parsed;
    this.#check(expression);
    if (this.#issues.length > 0 && !this.#lenient) return { issues: this.#issues };
    for (const [id, type] of this.#types) this.#types.set(id, this.#known.apply(type, { unboundToDyn: true }));
    return {
      expression,
      type: this.#types.get(expression.id)!,
      types: this.#types,
      names: this.#names,
      calls: this.#calls,
      structs: this.#structs,
    };
  }

  #report({ id }: { readonly id: number }, message: string): CelType {
    this.#issues.push({ offset: this.#parsed.offsets[id] ?? -1, message });
    return errorType;
  }

  #undeclared(at: Expression, name: string): CelType {
    return this.#report(at, `undeclared reference to '${name}' (in container '${this.#environment.container}')`);
  }

  #mismatch(at: Expression, expected: CelType, found: CelType): CelType {
    const [wanted, given] = [expected, found].map((type) => formatType(this.#known.apply(type)));
    return this.#report(at, `expected type '${wanted}' but found '${given}'`);
  }

  #assignable(to: CelType, from: CelType): boolean {
    return this.#known.try(() => unify(this.#known, to, from));
  }

  #freshVariable(): CelType {
    return typeParameter(`_var${this.#variables++}`);
  }

  #check(expression: Expression): CelType {
    const type = this.#typeOf(expression);
    this.#types.set(expression.id, type);
    return type;
  }

  #typeOf(expression: Expression): CelType {
    switch (expression.kind) {
      case 'literal':
        return runtimeType(expression.value);
      case 'identifier': {
        const found = this.#scope.resolve([expression.name]);
        if (found === undefined && this.#lenient) {
          this.#names.set(expression.id, { name: expression.name, type: dynType, local: false });
          return dynType;
        }
        if (found === undefined) return this.#undeclared(expression, expression.name);
        this.#names.set(expression.id, found);
        return found.type;
      }
      case 'select':
        return this.#select(expression);
      case 'call':
        return this.#call(expression);
      case 'list':
        return this.#list(expression);
      case 'map':
        return this.#map(expression);
      case 'struct':
        return this.#struct(expression);
      case 'comprehension':
        return this.#comprehension(expression);
    }
  }

  #select(select: Select): CelType {
    const qualifiers = select.testOnly ? undefined : qualifiersOf(select);
    const found = qualifiers === undefined ? undefined : this.#scope.resolve(qualifiers);
    if (found !== undefined) {
      this.#names.set(select.id, found);
      return found.type;
    }
    const field = this.#field(select, select.operand, select.field, false);
    return select.testOnly ? boolType : this.#known.apply(field);
  }

  #field(at: Expression, operand: Expression, field: string, wantsOptional: boolean): CelType {
    const operandType = this.#known.apply(this.#check(operand));
    const isOptionalOperand = isOptional(operandType);
    const target = isOptionalOperand ? operandType.parameters[0]! : operandType;
    const result = this.#fieldOf(at, target, field);
    return isOptionalOperand || wantsOptional ? optionalType(result) : result;
  }

  #fieldOf(at: Expression, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.parameters[1]!;
      case 'struct': {
        const type = this.#environment.types.findField(target.name, field);
        return type ?? this.#report(at, `undefined field '${field}'`);
      }
      case 'param':
        this.#assignable(dynType, target);
        return dynType;
      default:
        if (!isDynamic(target)) this.#report(at, `type '${formatType(target)}' does not support field selection`);
        return dynType;
    }
  }

  #call(call: Call): CelType {
    if (call.function === '_?._') return this.#optionalSelect(call);
    if (call.function !== 'format') return this.#ordinaryCall(call);
    // What is formatted may be of any types.
    this.#mixing++;
    const type = this.#ordinaryCall(call);
    this.#mixing--;
    return type;
  }

  #ordinaryCall(call: Call): CelType {
    const { target, args } = call;
    for (const arg of args) this.#check(arg);
    if (target === undefined) {
      const name = this.#scope.resolveFunction(call.function);
      return name === undefined ? this.#undeclared(call, call.function) : this.#resolve(call, name, args, false);
    }
    const prefix = qualifiersOf(target);
    const qualified =
      prefix === undefined ? undefined : this.#scope.resolveFunction([...prefix, call.function].join('.'));
    if (qualified !== undefined) return this.#resolve(call, qualified, args, false);
    this.#check(target);
    const name = this.#scope.resolveFunction(call.function);
    if (name === undefined) return this.#undeclared(call, call.function);
    return this.#resolve(call, name, [target, ...args], true);
  }

  #optionalSelect(call: Call): CelType {
    const [operand, field] = call.args;
    if (operand === undefined || field?.kind !== 'literal' || typeof field.value !== 'string')
      return this.#report(call, 'unsupported optional field selection');
    this.#check(field);
    const type = this.#known.apply(this.#field(call, operand, field.value, true));
    const overloads = this.#environment.functions.get('_?._') ?? [];
    this.#calls.set(call.id, { function: '_?._', overloads, hasReceiver: false });
    return type;
  }

  #resolve(call: Call, name: string, operands: readonly Expression[], hasReceiver: boolean): CelType {
    const types = operands.map((operand) => this.#types.get(operand.id)!);
    if ((name === '_&&_' || name === '_||_') && !this.#lenient) return this.#logical(call, name, operands, types);
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of this.#environment.functions.get(name)!) {
      if ((overload.member ?? false) !== hasReceiver || overload.parameters.length !== types.length) continue;
      const fresh = this.#instantiate(overload);
      if (!this.#known.try(() => unifyAll(this.#known, types, fresh.parameters))) continue;
      matching.push(overload);
      const own = this.#known.apply(fresh.result);
      if (result === undefined) result = own;
      else if (!isDynamic(result) && !sameType(result, own)) result = dynType;
    }
    if (result === undefined && this.#lenient) {
      this.#calls.set(call.id, { function: name, overloads: this.#environment.functions.get(name)!, hasReceiver });
      for (const { id } of operands) this.#types.set(id, dynType);
      return dynType;
    }
    if (result === undefined) {
      const given = types.map((type) => formatType(this.#known.apply(type, { unboundToDyn: true })));
      const signature = hasReceiver ? `${given[0]}.(${given.slice(1).join(', ')})` : `(${given.join(', ')})`;
      return this.#report(call, `found no matching overload for '${name}' applied to '${signature}'`);
    }
    this.#calls.set(call.id, { function: name, overloads: matching, hasReceiver });
    if (this.#environment.checkLiterals) {
      const typeOf = ({ id }: Expression): CelType => this.#known.apply(this.#types.get(id)!, { unboundToDyn: true });
      const issue = literalIssue(name, call, operands, typeOf);
      if (issue !== undefined) this.#report(issue.at, issue.message);
    }
    return result;
  }

  /** Of logical operators each operand is told by itself. */
  #logical(call: Call, name: string, operands: readonly Expression[], types: readonly CelType[]): CelType {
    for (const [index, type] of types.entries()) {
      if (!this.#assignable(type, boolType)) this.#mismatch(operands[index]!, boolType, type);
    }
    const overloads = this.#environment.functions.get(name)!;
    this.#calls.set(call.id, { function: name, overloads, hasReceiver: false });
    return boolType;
  }

  /** The signature with type variables of its own. */
  #instantiate({ parameters, result }: Overload): Pick<Overload, 'parameters' | 'result'> {
    const fresh = new Map<string, CelType>();
    const replace = (type: CelType): CelType => {
      if (type.kind === 'param') {
        const known = fresh.get(type.name) ?? this.#freshVariable();
        fresh.set(type.name, known);
        return known;
      }
      return type.parameters.length === 0 ? type : { ...type, parameters: type.parameters.map(replace) };
    };
    return { parameters: parameters.map(replace), result: replace(result) };
  }

  /** The type of a part that may be written with `?`, in which case it must be an optional. */
  #itemType(item: Expression, isOptionalItem: boolean): CelType {
    const type = this.#known.apply(this.#check(item));
    if (!isOptionalItem) return type;
    if (isOptional(type)) return type.parameters[0]!;
    if (!isDynamic(type)) this.#mismatch(item, optionalType(type), type);
    return type;
  }

  #join(at: Expression, previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    if (this.#assignable(previous, current)) return mostGeneral(previous, current);
    const mayMix = !this.#environment.homogeneousLiterals || this.#mixing > 0;
    return mayMix ? dynType : this.#mismatch(at, previous, current);
  }

  #list({ items, optional }: ListExpression): CelType {
    let type: CelType | undefined;
    for (const [index, item] of items.entries())
      type = this.#join(item, type, this.#itemType(item, optional.has(index)));
    return listType(type ?? this.#freshVariable());
  }

  #map({ entries }: MapExpression): CelType {
    let keys: CelType | undefined;
    let values: CelType | undefined;
    for (const { key, value, optional } of entries) {
      keys = this.#join(key, keys, this.#check(key));
      values = this.#join(value, values, this.#itemType(value, optional));
    }
    return mapType(keys ?? this.#freshVariable(), values ?? this.#freshVariable());
  }

  #struct(struct: StructExpression): CelType {
    const constructed = this.#scope.resolveType(struct.type);
    const found = constructed === undefined ? this.#scope.resolve(struct.type.split('.')) : undefined;
    if (found !== undefined) this.#report(struct, `'${formatType(found.type)}' is not a type`);
    else if (constructed === undefined) this.#undeclared(struct, struct.type);
    else this.#structs.set(struct.id, constructed);
    for (const field of struct.fields) {
      const given = this.#itemType(field.value, field.optional);
      if (constructed === undefined) continue;
      const declared = this.#environment.types.findField(constructed.name, field.name);
      if (declared === undefined) this.#report(field, `undefined field '${field.name}'`);
      else if (!this.#assignable(declared, given)) {
        const message = `expected type of field '${field.name}' is '${formatType(declared)}' but provided type is '${formatType(given)}'`;
        this.#report(field, message);
      }
    }
    return constructed?.type ?? errorType;
  }

  #comprehension(loop: Comprehension): CelType {
    const range = this.#known.apply(this.#check(loop.range));
    const accumulator = this.#check(loop.init);
    const outer = this.#scope;
    const within = outer.with({ [loop.accumulator]: accumulator });
    this.#scope = within.with(this.#loopVariables(loop, range));
    const condition = this.#check(loop.condition);
    if (!this.#assignable(boolType, condition)) this.#mismatch(loop.condition, boolType, condition);
    const step = this.#check(loop.step);
    if (!this.#assignable(accumulator, step)) this.#mismatch(loop.step, accumulator, step);
    this.#scope = within;
    const result = this.#check(loop.result);
    this.#scope = outer;
    return this.#known.apply(result);
  }

  #loopVariables(loop: Comprehension, range: CelType): Readonly<Record<string, CelType>> {
    const declare = (single: CelType, first: CelType, second: CelType): Readonly<Record<string, CelType>> =>
      loop.variable2 === undefined ? { [loop.variable]: single } : { [loop.variable]: first, [loop.variable2]: second };
    const [first = dynType, second = dynType] = range.parameters;
    switch (range.kind) {
      case 'list':
        return declare(first, intType, first);
      case 'map':
        return declare(first, first, second);
      case 'dyn':
      case 'any':
      case 'error':
      case 'param':
        this.#assignable(dynType, range);
        return declare(dynType, dynType, dynType);
      default: {
        const message = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        this.#report(loop.range, message);
        return declare(errorType, errorType, errorType);
      }
    }
  }
}

/** `['a', 'b', 'c']` for `a.b.c`. Undefined: it is more than names. */
function qualifiersOf(expression: Expression): readonly string[] | undefined {
  const names: string[] = [];
  let at = expression;
  while (at.kind === 'select' && !at.testOnly) {
    names.push(at.field);
    at = at.operand;
  }
  if (at.kind !== 'identifier') return undefined;
  names.push(at.name);
  return names.reverse();
}
