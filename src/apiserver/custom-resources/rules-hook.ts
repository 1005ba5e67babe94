import type { ValidationRule } from '#kinds/generated/types/apiextensions_v1.ts';
import type { FieldError } from '#machinery/errors.ts';
import type { Json } from '#machinery/meta.ts';
import type { StructuralNode } from './structural/node.ts';

/**
 * Validation rules of custom kinds (`x-kubernetes-validations`, KEP-2876): where the expression language is wired in.
 * A node that carries rules says so in `within.rules`, and its rules are `node.rules`.
 */
export interface RuleEngine {
  /**
   * What is wrong with the rules of a version's schema, worked out when a definition is written.
   * @param isSound whether nothing else is wrong with the schema of a place, and below.
   */
  check(root: StructuralNode, path: string, isSound: (path: string) => boolean): readonly FieldError[];
  /** Makes the rules of a schema ready; called once for each version of an accepted definition. */
  compile(root: StructuralNode): CompiledRules;
}

export interface CompiledRules {
  /** What the rules find wrong with an object. */
  validate(change: RuledChange): readonly FieldError[];
}

export interface RuledChange {
  readonly value: Json;
  /** The object before an update, for transition rules and ratcheting; undefined on create. */
  readonly old: Json | undefined;
  /** Is told what is wrong but may stay, because the update does not touch it. */
  readonly warn?: ((text: string) => void) | undefined;
}

export type { ValidationRule };
