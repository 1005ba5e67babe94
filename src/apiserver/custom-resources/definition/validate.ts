import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceDefinitionSpec as Spec,
} from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1035Problems, subdomainProblems } from '#machinery/names.ts';
import type { RuleEngine } from '../rules-hook.ts';
import { structuralNode } from '../structural/node.ts';
import { validateApproval } from './approval.ts';
import { isConditionTrue } from './conditions.ts';
import { validateConversion } from './validate-conversion.ts';
import { type VersionChecks, validateShared, validateVersion } from './validate-version.ts';
import { partPaths, sharedParts, shownVersions } from './version-parts.ts';

/** Everything wrong with a new definition. */
export function validateDefinition(definition: CustomResourceDefinition, rules: RuleEngine): readonly FieldError[] {
  return [
    ...validateSpec(definition.spec, rules),
    ...validateStoredVersions(definition),
    ...validateApproval(definition, undefined),
    ...validatePreserving(definition, undefined),
  ];
}

/** Everything wrong with a changed definition. */
export function validateDefinitionUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
  rules: RuleEngine,
): readonly FieldError[] {
  const { spec } = definition;
  const fixed = (path: string, after: unknown, before: unknown): FieldError[] =>
    equalValues(after, before) ? [] : [fieldError.invalid(path, after, 'field is immutable')];
  return [
    ...validateSpec(spec, rules),
    ...(isConditionTrue(old, 'Established')
      ? [
          ...fixed('spec.scope', spec.scope, old.spec.scope),
          ...fixed('spec.names.kind', spec.names.kind, old.spec.names.kind),
        ]
      : []),
    ...fixed('spec.group', spec.group, old.spec.group),
    ...fixed('spec.names.plural', spec.names.plural, old.spec.names.plural),
    ...validateStoredVersions(definition),
    ...validateApproval(definition, old),
    ...validatePreserving(definition, old),
  ];
}

/** Everything wrong with a status that a client wrote. */
export function validateDefinitionStatus({ status }: CustomResourceDefinition): readonly FieldError[] {
  const names = status?.acceptedNames;
  return names === undefined ? [] : validateNames(names, 'status.acceptedNames');
}

/** A definition is named for what it defines. */
export function definitionNameProblems(name: string, { spec }: CustomResourceDefinition, isPrefix: boolean): string[] {
  // What follows the prefix may make a trailing dash part of a good name.
  const problems = subdomainProblems(isPrefix && /.-$/.test(name) ? `${name.slice(0, -2)}a` : name);
  if (name === `${spec.names.plural}.${spec.group}`) return problems;
  return [...problems, 'must be spec.names.plural+"."+spec.group'];
}

const scopes = ['Cluster', 'Namespaced'];

function validateSpec(spec: Spec, rules: RuleEngine): FieldError[] {
  const { group = '', scope = '', versions = [], names } = spec;
  const errors: FieldError[] = [];
  if (group === '') errors.push(fieldError.required('spec.group'));
  else if (subdomainProblems(group).length > 0)
    errors.push(fieldError.invalid('spec.group', group, subdomainProblems(group).join(',')));
  else if (!group.includes('.'))
    errors.push(fieldError.invalid('spec.group', group, 'should be a domain with at least one dot'));
  if (scope === '') errors.push(fieldError.required('spec.scope'));
  else if (!scopes.includes(scope)) errors.push(fieldError.notSupportedInOrder('spec.scope', scope, scopes));
  for (const [index, { schema }] of versions.entries())
    if (schema?.openAPIV3Schema === undefined)
      errors.push(fieldError.required(`spec.versions[${index}].schema.openAPIV3Schema`));
  if (spec.preserveUnknownFields === true && versions.some(hasDefaults))
    errors.push(
      fieldError.invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'),
    );
  errors.push(...validateVersions(spec, rules));
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const)
    if ((names[field] ?? '') === '') errors.push(fieldError.required(`spec.names.${field}`));
  errors.push(...validateNames(names, 'spec.names'));
  const [first] = versions;
  if (first !== undefined) errors.push(...validateShared(first, checksOf(spec, rules)));
  return [...errors, ...validateConversion(spec)];
}

function hasDefaults({ schema }: CustomResourceDefinitionVersion): boolean {
  const props = schema?.openAPIV3Schema;
  return props !== undefined && structuralNode(props).within.defaults;
}

/** @param index of the version; of all of them, what they share. */
function checksOf({ versions = [] }: Spec, rules: RuleEngine, index?: number): VersionChecks {
  const shared = sharedParts(versions);
  const paths = partPaths(`spec.versions[${index ?? 0}]`, shared);
  const meant = index === undefined ? versions : [versions[index]!];
  return { rules, paths, shared, hasStatus: meant.some(({ subresources }) => subresources?.status !== undefined) };
}

function validateVersions(spec: Spec, rules: RuleEngine): FieldError[] {
  const { versions = [] } = spec;
  const errors = versions.flatMap((version, index) => {
    const { name = '' } = version;
    const problems = label1035Problems(name);
    const path = `spec.versions[${index}].name`;
    return [
      ...(problems.length > 0 ? [fieldError.invalid(path, name, problems.join(','))] : []),
      ...validateVersion(version, checksOf(spec, rules, index)),
    ];
  });
  const shown = spec.versions === undefined ? null : shownVersions(versions, sharedParts(versions));
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    errors.push(fieldError.invalid('spec.versions', shown, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(fieldError.invalid('spec.versions', shown, 'must have exactly one version marked as storage version'));
  const { name: first = '' } = versions[0] ?? {};
  const problems = first === '' ? [] : label1035Problems(first);
  if (problems.length > 0) errors.push(fieldError.invalid('spec.version', first, problems.join(',')));
  return errors;
}

function validateNames(names: CustomResourceDefinitionNames, path: string): FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names;
  const errors: FieldError[] = [];
  const check = (field: string, value: string, shown = value, prefix = ''): void => {
    const problems = value === '' && !field.endsWith(']') ? [] : label1035Problems(value);
    if (problems.length > 0) errors.push(fieldError.invalid(`${path}.${field}`, shown, prefix + problems.join(',')));
  };
  const mixed = 'may have mixed case, but should otherwise match: ';
  check('plural', plural);
  check('singular', singular);
  check('kind', kind.toLowerCase(), kind, mixed);
  check('listKind', listKind.toLowerCase(), listKind, mixed);
  shortNames.forEach((name, index) => {
    check(`shortNames[${index}]`, name);
  });
  if (kind !== '' && kind === listKind)
    errors.push(fieldError.invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same'));
  categories.forEach((name, index) => {
    check(`categories[${index}]`, name);
  });
  return errors;
}

function validateStoredVersions({ status, spec }: Pick<CustomResourceDefinition, 'status' | 'spec'>): FieldError[] {
  const path = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [fieldError.invalid(path, null, 'must have at least one stored version')];
  const told = new Set<string>();
  // Of versions of one name the first has it, and the others look for it in vain.
  const missing = (spec.versions ?? []).filter(({ name, storage }) => {
    const isKnown = stored.includes(name) && !told.has(name);
    told.add(name);
    return storage && !isKnown;
  });
  return [
    ...missing.map(({ name }) => fieldError.invalid(path, stored, `must have the storage version ${name}`)),
    ...stored.flatMap((name, index) => {
      if (spec.versions?.some((version) => version.name === name)) return [];
      const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
      return [fieldError.invalid(`${path}[${index}]`, name, detail)];
    }),
  ];
}

/** Only definitions of the oldest kind still keep everything. */
function validatePreserving(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (spec.preserveUnknownFields !== true || old?.spec.preserveUnknownFields === true) return [];
  const detail =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [fieldError.invalid('spec.preserveUnknownFields', true, detail)];
}
