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
import { isSchema, structuralNode } from '../structural/node.ts';
import { unsupportedIn } from '../structural/unsupported.ts';
import { validateDefaults } from './validate-defaults.ts';
import { validateSchema } from './validate-schema.ts';
import type { VersionPart } from './version-parts.ts';

const maximumSelectableFields = 8;

export interface VersionChecks {
  /** The whole definition keeps unknown fields. */
  readonly preserves: boolean;
  readonly rules: RuleEngine;
  readonly paths: Readonly<Record<VersionPart | 'own', string>>;
  readonly shared: ReadonlySet<VersionPart>;
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
    errors.push(...validateRootSchema(props, `${paths.schema}.openAPIV3Schema`, version, checks));
  if (isMeant('subresources')) errors.push(...validateSubresources(version.subresources, paths.subresources));
  if (isMeant('additionalPrinterColumns'))
    for (const [index, column] of (version.additionalPrinterColumns ?? []).entries())
      errors.push(...validateColumn(column, `${paths.additionalPrinterColumns}[${index}]`));
  if (isMeant('selectableFields')) errors.push(...validateSelectableFields(version, props, paths.selectableFields));
  return errors;
}

function validateRootSchema(
  props: JSONSchemaProps,
  path: string,
  { subresources }: CustomResourceDefinitionVersion,
  { preserves, rules }: VersionChecks,
): FieldError[] {
  const errors: FieldError[] = [];
  if (subresources?.status !== undefined && (props.type ?? '') !== '' && props.type !== 'object')
    errors.push(
      fieldError.invalid(
        `${path}.type`,
        props.type,
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
      ),
    );
  if (props.nullable === true)
    errors.push(fieldError.forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const unsupported = unsupportedIn(props);
  const root = structuralNode(props);
  if (unsupported === undefined) {
    const structure = checkStructure(props, path);
    errors.push(...(structure.length > 0 ? structure : validateDefaults(root, path)));
  }
  if (preserves && root.within.defaults)
    errors.push(
      fieldError.invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'),
    );
  errors.push(...validateSchema(props, path));
  // What cannot be made structural is most often told above, and better.
  if (errors.length === 0 && unsupported !== undefined) return [fieldError.invalid(path, '', unsupported)];
  return errors.length === 0 && root.within.rules ? [...rules.check(root, path)] : errors;
}

function validateDeprecation(
  { deprecated, deprecationWarning: text }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  if (text === undefined) return [];
  const refuse = (detail: string): FieldError[] => [fieldError.invalid(`${path}.deprecationWarning`, text, detail)];
  if (deprecated !== true) return refuse('can only be set for deprecated versions');
  if (byteLength(text) > 256) return refuse('must be <= 256 characters long');
  if (text === '') return refuse('must not be an empty string');
  const bad = [...text].findIndex((character) => /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.test(character));
  return bad < 0
    ? []
    : refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${bad}`);
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

function validateSelectableFields(
  { selectableFields = [] }: CustomResourceDefinitionVersion,
  props: JSONSchemaProps | undefined,
  path: string,
): FieldError[] {
  if (selectableFields.length === 0) return [];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  selectableFields.forEach(({ jsonPath = '' }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === '') {
      errors.push(fieldError.required(at));
      return;
    }
    const target = schemaAt(props, jsonPath);
    if (typeof target === 'string') errors.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${target}`));
    else if (jsonPath.startsWith('.metadata.') || jsonPath === '.metadata')
      errors.push(fieldError.invalid(at, jsonPath, 'must not point to fields in metadata'));
    else if (!['string', 'boolean', 'integer'].includes(target.type ?? ''))
      errors.push(
        fieldError.invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    if (seen.has(jsonPath)) errors.push(fieldError.duplicate(at, jsonPath));
    seen.add(jsonPath);
  });
  if (seen.size > maximumSelectableFields) errors.push(fieldError.tooMany(path, seen.size, maximumSelectableFields));
  return errors;
}

/** The schema at a path of fields; a text says why there is none. */
function schemaAt(props: JSONSchemaProps | undefined, jsonPath: string): JSONSchemaProps | string {
  if (!jsonPath.startsWith('.')) return `expected [ or . but got: ${jsonPath}`;
  if (!/^(\.[A-Za-z_][A-Za-z0-9_-]*)+$/.test(jsonPath)) return 'does not refer to a valid field';
  let at: JSONSchemaProps | undefined = props;
  for (const name of jsonPath.split('.').slice(1)) {
    const next: unknown = at?.properties?.[name] ?? at?.additionalProperties;
    if (!isSchema(next)) return 'does not refer to a valid field';
    at = next;
  }
  return at ?? 'does not refer to a valid field';
}
