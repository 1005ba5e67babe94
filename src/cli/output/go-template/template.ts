import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import type { ObjectPrinter } from '../printers.ts';
import { functions, isObject, isTrue, textOf, type Value } from './functions.ts';
import { type Operand, type Pipeline, parseTemplate, TemplateError, type TemplateNode } from './parse.ts';

/** Compiles a Go template. Throws CliError, and so does the printer when the template fails on an object. */
export function compileGoTemplate(source: string, options: { readonly allowMissingKeys: boolean }): ObjectPrinter {
  let nodes: readonly TemplateNode[];
  try {
    nodes = parseTemplate(source);
  } catch (error) {
    throw new CliError(`error parsing template ${source}, template: output:1: ${(error as Error).message}`);
  }
  return (object: JsonObject) => {
    try {
      return new Execution(options.allowMissingKeys, object).run(nodes, object);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new CliError(`error executing template ${JSON.stringify(source)}: template: output:1: ${error.message}`);
    }
  };
}

/** Leaves the innermost range. */
class Jump {
  readonly type: 'break' | 'continue';
  text = '';

  constructor(type: 'break' | 'continue') {
    this.type = type;
  }
}

class Execution {
  readonly #allowMissingKeys: boolean;
  /** Innermost last. */
  readonly #scopes: Map<string, Value>[];

  constructor(allowMissingKeys: boolean, root: Json) {
    this.#allowMissingKeys = allowMissingKeys;
    this.#scopes = [new Map([['$', root]])];
  }

  run(nodes: readonly TemplateNode[], dot: Value): string {
    let text = '';
    for (const node of nodes) {
      try {
        text += this.#node(node, dot);
      } catch (jump) {
        // What stands before a break has been printed already.
        if (jump instanceof Jump) jump.text = text + jump.text;
        throw jump;
      }
    }
    return text;
  }

  #node(node: TemplateNode, dot: Value): string {
    switch (node.type) {
      case 'text':
        return node.text;
      case 'print': {
        const value = this.#pipeline(node.pipe, dot);
        return node.pipe.variables.length > 0 ? '' : textOf(value);
      }
      case 'break':
      case 'continue':
        throw new Jump(node.type);
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
      case 'if':
      case 'with':
        return this.#scoped(() => {
          const value = this.#pipeline(node.pipe, dot);
          if (!isTrue(value)) return this.run(node.otherwise, dot);
          return this.run(node.body, node.type === 'with' ? value : dot);
        });
    }
  }

  #scoped(run: () => string): string {
    this.#scopes.push(new Map());
    try {
      return run();
    } finally {
      this.#scopes.pop();
    }
  }

  #range(node: TemplateNode & { readonly type: 'if' | 'with' | 'range' }, dot: Value): string {
    const value = this.#pipeline({ ...node.pipe, variables: [] }, dot);
    const entries = entriesOf(value);
    if (entries.length === 0) return this.run(node.otherwise, dot);
    const [first, second] = node.pipe.variables;
    let text = '';
    for (const [key, item] of entries) {
      try {
        text += this.#scoped(() => {
          if (second !== undefined) this.#declare(first!, key);
          if (first !== undefined) this.#declare(second ?? first, item);
          return this.run(node.body, item);
        });
      } catch (jump) {
        if (!(jump instanceof Jump)) throw jump;
        text += jump.text;
        if (jump.type === 'break') break;
      }
    }
    return text;
  }

  #declare(name: string, value: Value): void {
    this.#scopes.at(-1)!.set(name, value);
  }

  #variable(name: string): Map<string, Value> {
    const scope = this.#scopes.findLast((each) => each.has(name));
    if (scope === undefined) throw new TemplateError(`undefined variable ${JSON.stringify(name)}`);
    return scope;
  }

  #pipeline({ variables, declares, commands }: Pipeline, dot: Value): Value {
    let value: Value;
    commands.forEach((command, at) => {
      value = this.#command(command, dot, at === 0 ? [] : [value]);
    });
    const [name] = variables;
    if (name !== undefined && declares) this.#declare(name, value);
    else if (name !== undefined) this.#variable(name).set(name, value);
    return value;
  }

  #command([head, ...rest]: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    if (head?.type !== 'function') {
      if (rest.length > 0 || piped.length > 0) throw new TemplateError("can't give argument to non-function");
      return this.#operand(head!, dot);
    }
    if (head.name === 'and' || head.name === 'or') return this.#shortCut(head.name, rest, dot, piped);
    if (!Object.hasOwn(functions, head.name))
      throw new TemplateError(`function ${JSON.stringify(head.name)} not defined`);
    return functions[head.name]!([...rest.map((operand) => this.#operand(operand, dot)), ...piped]);
  }

  #shortCut(name: 'and' | 'or', operands: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    let value: Value;
    for (const operand of operands) {
      value = this.#operand(operand, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.type) {
      case 'dot':
        return dot;
      case 'literal':
        return operand.value;
      case 'variable':
        return this.#variable(operand.name).get(operand.name);
      case 'group':
        return this.#pipeline(operand.pipe, dot);
      case 'function':
        return this.#command([operand], dot, []);
      case 'field':
        return operand.names.reduce<Value>((value, name) => this.#field(value, name), this.#operand(operand.from, dot));
    }
  }

  #field(value: Value, name: string): Value {
    if (value === undefined || value === null) {
      if (this.#allowMissingKeys) return undefined;
      throw new TemplateError(`nil data; no entry for key ${JSON.stringify(name)}`);
    }
    if (!isObject(value))
      throw new TemplateError(
        `can't evaluate field ${name} in type ${Array.isArray(value) ? '[]interface {}' : typeof value}`,
      );
    if (Object.hasOwn(value, name)) return value[name];
    if (this.#allowMissingKeys) return undefined;
    throw new TemplateError(`map has no entry for key ${JSON.stringify(name)}`);
  }
}

function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return (value as readonly Json[]).map((item, at) => [at, item]);
  if (isObject(value)) {
    return Object.keys(value)
      .sort()
      .map((key) => [key, value[key]]);
  }
  if (typeof value === 'number') return Array.from({ length: value }, (_, at) => [at, at]);
  throw new TemplateError(`range can't iterate over ${textOf(value)}`);
}
