import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
} from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength } from '#machinery/names.ts';
import type { RuleEngine } from '../rules-hook.ts';
import { checkStructure } from '../structural/check.ts';
import { type StructuralNode, structuralNode } from '../structural/node.ts';
import { unsupportedIn } from '../structural/unsupported.ts';
import { findField } from '../validation-rules/field-path.ts';
import { fieldsSet, shownSchema } from './shown-schema.ts';
import { validateDefaults } from './validate-defaults.ts';
import { validateSchema } from './validate-schema.ts';
import type { VersionPart } from './version-parts.ts';

const maximumSelectableFields = 8;

export interface VersionChecks {
  readonly rules: RuleEngine;
  readonly paths: Readonly<Record<VersionPart | 'own', string>>;
  readonly shared: ReadonlySet<VersionPart>;
  /** The status, of this version or of any that shares what is checked, is a subresource. */
  readonly hasStatus: boolean;
}

/** Everything wrong with what a version says for itself. */
export function validateVersion(version: CustomResourceDefinitionVersion, checks: VersionChecks): FieldError[] {
  return [
    ...validateDeprecation(version, checks.paths.own),
    ...validateParts(version, checks, (part) => !checks.shared.has(part)),
  ];
}

/** Everything wrong with what all versions say alike; it is said once. */
export function validateShared(first: CustomResourceDefinitionVersion, checks: VersionChecks): FieldError[] {
  return validateParts(first, checks, (part) => checks.shared.has(part));
}

function validateParts(
  version: CustomResourceDefinitionVersion,
  checks: VersionChecks,
  isMeant: (part: VersionPart) => boolean,
): FieldError[] {
  const { paths } = checks;
  const props = version.schema?.openAPIV3Schema;
  const errors: FieldError[] = [];
  if (props !== undefined && isMeant('schema'))
    errors.push(...validateRootSchema(props, `${paths.schema}.openAPIV3Schema`, checks));
  if (isMeant('subresources')) errors.push(...validateSubresources(version.subresources, paths.subresources));
  if (isMeant('additionalPrinterColumns'))
    for (const [index, column] of (version.additionalPrinterColumns ?? []).entries())
      errors.push(...validateColumn(column, `${paths.additionalPrinterColumns}[${index}]`));
  if (isMeant('selectableFields')) errors.push(...validateSelection(version, checks));
  return errors;
}

/** What may be said at the root of a schema whose status is another resource's. */
const rootFields =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations';
const allowedAtRoot = new Set(rootFields.split(' '));

function validateRootFields(props: JSONSchemaProps, path: string): FieldError[] {
  const first = fieldsSet(props).find((name) => (name === 'Type' ? props.type !== 'object' : !allowedAtRoot.has(name)));
  if (first === undefined) return [];
  const enabled = 'of the schema if the status subresource is enabled';
  return first === 'Type'
    ? [fieldError.invalid(`${path}.type`, props.type, `only "object" is allowed as the type at the root ${enabled}`)]
    : [fieldError.invalid(path, shownSchema(props), `only [${rootFields}] fields are allowed at the root ${enabled}`)];
}

function validateRootSchema(props: JSONSchemaProps, path: string, { rules, hasStatus }: VersionChecks): FieldError[] {
  const errors = hasStatus ? validateRootFields(props, path) : [];
  if (props.nullable === true)
    errors.push(fieldError.forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const unsupported = unsupportedIn(props);
  const root = structuralNode(props);
  const structure = unsupported === undefined ? checkStructure(props, path) : [];
  const unstructured = structure.length > 0 || unsupported !== undefined ? structure : validateDefaults(root, path);
  const wrong = validateSchema(props, path);
  errors.push(...unstructured, ...wrong);
  if (unsupported === undefined && unstructured.length === 0 && root.within.rules)
    errors.push(...rules.check(root, path, (place) => !wrong.some((error) => isWithin(error.path, place))));
  // What cannot be made structural is most often told above, and better.
  return errors.length === 0 && unsupported !== undefined ? [fieldError.invalid(path, '', unsupported)] : errors;
}

function isWithin(path: string, place: string): boolean {
  return path.startsWith(place) && (path.length === place.length || '.['.includes(path[place.length]!));
}

function validateDeprecation(
  { deprecated, deprecationWarning: text }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  if (text === undefined) return [];
  const refuse = (detail: string): FieldError => fieldError.invalid(`${path}.deprecationWarning`, text, detail);
  if (deprecated !== true) return [refuse('can only be set for deprecated versions')];
  const errors: FieldError[] = [];
  if (byteLength(text) > 256) errors.push(refuse('must be <= 256 characters long'));
  if (text === '') errors.push(refuse('must not be an empty string'));
  const bad = /[^\P{Z} ]|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.exec(text)?.index;
  if (bad === undefined) return errors;
  const at = byteLength(text.slice(0, bad));
  return [
    ...errors,
    refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`),
  ];
}

function validateSubresources(subresources: CustomResourceSubresources | undefined, path: string): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const check = (field: keyof typeof scale, roots: readonly string[], detail: string): void => {
    const at = `${path}.scale.${field}`;
    const value = scale[field] ?? '';
    const problem = pathProblem(value);
    if (problem !== undefined) errors.push(fieldError.invalid(at, value, problem));
    else if (!roots.some((root) => value.startsWith(`${root}.`))) errors.push(fieldError.invalid(at, value, detail));
  };
  if ((scale.specReplicasPath ?? '') === '') errors.push(fieldError.required(`${path}.scale.specReplicasPath`));
  else check('specReplicasPath', ['.spec'], 'should be a json path under .spec');
  if ((scale.statusReplicasPath ?? '') === '') errors.push(fieldError.required(`${path}.scale.statusReplicasPath`));
  else check('statusReplicasPath', ['.status'], 'should be a json path under .status');
  if ((scale.labelSelectorPath ?? '') !== '')
    check('labelSelectorPath', ['.spec', '.status'], 'should be a json path under either .spec or .status');
  return errors;
}

/** What comes after the dot is looked for as it is. */
function pathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (!path.startsWith('.')) return 'must be a simple json path starting with .';
  return undefined;
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function validateColumn(
  { name = '', type = '', format = '', jsonPath = '' }: CustomResourceColumnDefinition,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  if (type === '') errors.push(fieldError.required(`${path}.type`, `must be one of ${columnTypes.join(',')}`));
  else if (!columnTypes.includes(type))
    errors.push(fieldError.invalid(`${path}.type`, type, `must be one of ${columnTypes.join(',')}`));
  if (format !== '' && !columnFormats.includes(format))
    errors.push(fieldError.invalid(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`));
  if (jsonPath === '') errors.push(fieldError.required(`${path}.JSONPath`));
  else if (pathProblem(jsonPath) !== undefined)
    errors.push(fieldError.invalid(`${path}.JSONPath`, jsonPath, pathProblem(jsonPath)!));
  return errors;
}

function validateSelection(version: CustomResourceDefinitionVersion, checks: VersionChecks): FieldError[] {
  const { selectableFields = [], schema } = version;
  const { paths, shared } = checks;
  const path = paths.selectableFields;
  const props = schema?.openAPIV3Schema;
  if (selectableFields.length === 0) return [];
  // Both look for the schema where they are themselves.
  if (shared.has('selectableFields')) {
    if (schema === undefined || !shared.has('schema'))
      return [fieldError.invalid(path, '', 'may only be set when validations.schema is included')];
  } else if (props === undefined || shared.has('schema')) {
    const detail = 'may only be set when `version.schema.openAPIV3Schema` is not included';
    return [fieldError.invalid(path, '', detail)];
  }
  const unsupported = props === undefined ? undefined : unsupportedIn(props);
  const at = `${shared.has('selectableFields') ? 'spec' : paths.own}.schema.openAPIV3Schema`;
  return [
    ...(unsupported === undefined ? [] : [fieldError.invalid(at, '', unsupported)]),
    ...validateSelectableFields(selectableFields, structuralNode(props ?? {}), path),
  ];
}

function validateSelectableFields(
  selectableFields: NonNullable<CustomResourceDefinitionVersion['selectableFields']>,
  schema: StructuralNode,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { jsonPath = '' }] of selectableFields.entries()) {
    const at = `${path}[${index}].jsonPath`;
    const found = jsonPath === '' ? '' : findField(jsonPath, schema, false);
    if (found === '') errors.push(fieldError.required(at));
    else if (typeof found === 'string') errors.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${found}`));
    if (typeof found === 'string') continue;
    if (/^metadata(?:$|[.[])/.test(found.path))
      errors.push(fieldError.invalid(at, jsonPath, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.node.type))
      errors.push(
        fieldError.invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    if (seen.has(found.path)) errors.push(fieldError.duplicate(at, jsonPath));
    seen.add(found.path);
  }
  if (seen.size > maximumSelectableFields) errors.push(fieldError.tooMany(path, seen.size, maximumSelectableFields));
  return errors;
}
