import type { SizeKnowledge } from '#cel/cost/estimate.ts';
import { type CelEnvironment, compile, sameType, typeName } from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import { quantityType } from '#cel/kubernetes/library/quantity.ts';
import { type DeclaredField, type DeclaredType, declared, nameTypes } from '#cel/kubernetes/schema/declared-type.ts';
import { bindingsLibrary } from '#cel/library/bindings.ts';
import { anyType, boolType, dynType } from '#cel/types/types.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';

/** Expressions that select devices: `device.attributes["dra.example.com"].model == "A"` (KEP-4381). */

const maxCost = 1_000_000;
const maxAttributes = 32;
const maxDriverName = 63;
const maxDomain = 63;
const maxIdentifier = 32;
const maxTextValue = 64;

const field = (property: string, type: DeclaredType): [string, DeclaredField] => [
  property,
  { property, declared: type },
];

/** Values of a domain, by domain. */
const byDomain = (value: DeclaredType): DeclaredType => declared.map(declared.map(value, maxAttributes), maxAttributes);

const { root: device, types } = nameTypes(
  declared.object(
    new Map([
      field('driver', declared.string(maxDriverName)),
      field('attributes', byDomain({ ...declared.any, maxElements: maxTextValue })),
      field('capacity', byDomain({ ...declared.any, type: quantityType })),
      field('allowMultipleAllocations', declared.boolean),
    ]),
  ),
  'kubernetes.DRADevice',
);
/** As `declaredSizes`, but keys have their longest lengths, and attributes are known without their names. */
const sizes: SizeKnowledge = {
  sizeAt: ([, ...path]) => {
    let current: DeclaredType | undefined = device;
    for (const step of path) {
      const { element, fields }: DeclaredType = current;
      const isNamedAttribute = element?.kind === 'any' && element.maxElements > 0;
      if (step === '@keys') current = declared.string(element?.kind === 'map' ? maxDomain : maxIdentifier);
      else if (step === '@values' || (isNamedAttribute && !fields.has(step))) current = element;
      else current = fields.get(step)?.declared;
      if (current === undefined) return undefined;
    }
    return { min: 0, max: current.maxElements };
  },
};
const environment: CelEnvironment = environmentWith({
  types: [types],
  variables: { device: device.type },
  libraries: [bindingsLibrary],
});

/** What is wrong with one expression. */
export function selectorProblem(source: string, path: string): FieldError | undefined {
  const result = compile(source, environment);
  if (result.program === undefined) {
    return fieldError.invalid(path, source, `compilation failed: ${result.message}`);
  }
  const { program } = result;
  if (program.failure !== undefined) {
    return fieldError.invalid(path, source, `program instantiation failed: ${program.failure}`);
  }
  if (![boolType, dynType, anyType].some((type) => sameType(type, program.type))) {
    const detail = `must evaluate to bool or the unknown type, not ${typeName(program.type)}`;
    return fieldError.invalid(path, source, detail);
  }
  if (program.estimateCost(sizes).max <= maxCost) return undefined;
  return fieldError.forbidden(path, 'too complex, exceeds cost limit');
}

/** The kind's own rules, which get to know what is wrong with expressions. */
export function withSelectors({ group }: { readonly group: string }, rules: KindRules): KindRules {
  const { validate } = rules;
  if (group !== 'resource.k8s.io' || validate === undefined) return rules;
  return { ...rules, validate: (object, context) => validate(object, { ...context, checkSelector: selectorProblem }) };
}
