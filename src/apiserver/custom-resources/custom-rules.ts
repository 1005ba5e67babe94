import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { stringifyJson } from '#machinery/json.ts';
import {
  type ApiObject,
  apiVersionOf,
  type GroupVersionKind,
  type Json,
  type JsonObject,
  type Mutable,
} from '#machinery/meta.ts';
import type { ScalePaths } from '../resources/custom-form.ts';
import { columnsOf } from './columns.ts';
import type { CompiledRules, RuledChange } from './rules-hook.ts';
import { valueAt } from './scale.ts';
import { withDefaults } from './structural/defaults.ts';
import { validateEmbedded } from './structural/embedded.ts';
import { duplicateItems } from './structural/list-types.ts';
import type { StructuralNode } from './structural/node.ts';
import { validateValue } from './structural/validate.ts';

export interface CustomKind {
  readonly kind: GroupVersionKind;
  readonly version: CustomResourceDefinitionVersion;
  readonly root: StructuralNode;
  readonly rules: CompiledRules;
  readonly scale: ScalePaths | undefined;
}

/** What a custom kind means, read from one version of its definition. */
export function customRules(kind: CustomKind): KindRules {
  const { root, version } = kind;
  return {
    defaults: (object) => fillDefaults(object, root),
    validate: (object) => validate(kind, object, undefined),
    validateUpdate: (object, old, { warn }) => validate(kind, object, old, warn),
    validateUpdateOnly: true,
    validateStatusUpdate: (object, old, { warn }) => validate(kind, object, old, warn, statusSchemaErrors),
    prepareForStatusUpdate: keepMetadata,
    warnings: finalizerWarnings,
    cells: columnsOf(version.additionalPrinterColumns).cells,
    selectableFields: selectableFields(version),
    separateStatus: version.subresources?.status !== undefined,
    hasGeneration: true,
    finalizerRule: 'any',
    allowUnconditionalUpdate: false,
  };
}

function fillDefaults(object: Mutable<ApiObject>, root: StructuralNode): void {
  if (!root.within.defaults) return;
  const after = withDefaults(object as unknown as Json, root) as JsonObject;
  if ((after as unknown) !== object) replaceFields(object as unknown as Record<string, unknown>, after);
}

function replaceFields(target: Record<string, unknown>, source: JsonObject): void {
  for (const key of Object.keys(target)) if (!Object.hasOwn(source, key)) delete target[key];
  for (const key of Object.keys(source)) target[key] = source[key];
}

/** A write of the status leaves the metadata alone, but for what it owns. */
function keepMetadata(object: Mutable<ApiObject>, old: ApiObject): void {
  const { managedFields } = object.metadata;
  object.metadata = { ...(old.metadata as Mutable<ApiObject>['metadata']) };
  if (managedFields === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = managedFields;
}

function validate(
  { kind, root, rules, scale }: CustomKind,
  object: ApiObject,
  old: ApiObject | undefined,
  warn?: (text: string) => void,
  schemaErrors = wholeSchemaErrors,
): readonly FieldError[] {
  const ofOtherType = typeErrors(kind, object);
  if (ofOtherType.length > 0) return ofOtherType;
  const value = object as unknown as Json;
  const before = old as unknown as Json | undefined;
  const hadDuplicates = before !== undefined && duplicateItems(before, root).length > 0;
  const errors = [
    ...schemaErrors(root.props, value, before),
    ...validateEmbedded(value, root),
    ...(hadDuplicates ? [] : duplicateItems(value, root)),
  ];
  return [
    ...errors,
    ...(root.within.rules ? checkRules(rules, { value, old: before, warn }, errors) : []),
    ...(scale === undefined ? [] : validateScale(value, scale)),
  ];
}

function wholeSchemaErrors(props: JSONSchemaProps, value: Json, before: Json | undefined): readonly FieldError[] {
  return validateValue(value, props, '', before === undefined ? undefined : { value: before });
}

/** A write of the status is held to the status's schema alone, and its messages count from there, unlike its fields. */
function statusSchemaErrors(props: JSONSchemaProps, value: Json, before: Json | undefined): readonly FieldError[] {
  const { status } = value as JsonObject;
  const schema = props.properties?.['status'];
  if (status === undefined || schema === undefined) return [];
  const errors = wholeSchemaErrors(schema, status, (before as JsonObject | undefined)?.['status']);
  return errors.map((error) => ({ ...error, path: error.path === '<nil>' ? 'status' : `status.${error.path}` }));
}

function typeErrors(own: GroupVersionKind, { kind, apiVersion }: ApiObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (kind !== own.kind) errors.push(fieldError.invalid('kind', kind, `must be ${own.kind}`));
  const expected = apiVersionOf(own);
  if (apiVersion !== expected) errors.push(fieldError.invalid('apiVersion', apiVersion, `must be ${expected}`));
  return errors;
}

/** What rules could stumble over: then none of them is run. */
const blocking = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

function checkRules(rules: CompiledRules, change: RuledChange, errors: readonly FieldError[]): readonly FieldError[] {
  if (!errors.some(({ type }) => blocking.has(type))) return rules.validate(change);
  const detail =
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
  return [fieldError.invalid('<nil>', null, detail)];
}

/** Numbers of replicas are whole and not negative, whatever the schema says. */
function validateScale(value: Json, { specReplicas, statusReplicas, labelSelector }: ScalePaths): FieldError[] {
  const errors = [specReplicas, statusReplicas].flatMap((path) => replicasProblem(value, path));
  const selector = labelSelector === undefined ? undefined : valueAt(value, labelSelector);
  if (selector === undefined || typeof selector === 'string') return errors;
  const at = `.${labelSelector!.join('.')}`;
  const detail = `${at} accessor error: ${goText(selector)} is of the type ${goType(selector)}, expected string`;
  return [...errors, fieldError.invalid(at, '', detail)];
}

function replicasProblem(value: Json, path: readonly string[]): FieldError[] {
  const replicas = valueAt(value, path);
  if (replicas === undefined) return [];
  const at = `.${path.join('.')}`;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    return [
      fieldError.invalid(
        at,
        0,
        `${at} accessor error: ${goText(replicas)} is of the type ${goType(replicas)}, expected int64`,
      ),
    ];
  if (replicas < 0) return [fieldError.invalid(at, replicas, 'should be a non-negative integer')];
  if (replicas > 2 ** 31 - 1)
    return [fieldError.invalid(at, replicas, `should be less than or equal to ${2 ** 31 - 1}`)];
  return [];
}

function goText(value: Json): string {
  return value === null ? '<nil>' : typeof value === 'object' ? stringifyJson(value) : String(value);
}

function goType(value: Json): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return (
    { string: 'string', boolean: 'bool', number: 'float64', bigint: 'int64' }[typeof value as 'string'] ?? typeof value
  );
}

const standardFinalizers = ['orphan', 'foregroundDeletion', 'kubernetes'];

/** Finalizers of no domain may be those of another writer as well. */
function finalizerWarnings({ metadata }: ApiObject, old: ApiObject | undefined): string[] {
  const before = old?.metadata.finalizers ?? [];
  return (metadata.finalizers ?? [])
    .filter((name) => !name.includes('/') && !standardFinalizers.includes(name) && !before.includes(name))
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers`,
    );
}

function selectableFields({
  selectableFields: fields = [],
}: CustomResourceDefinitionVersion): Record<string, (object: ApiObject) => string> {
  return Object.fromEntries(
    fields.map(({ jsonPath }) => {
      const path = jsonPath.split('.').slice(1);
      return [path.join('.'), (object: ApiObject) => textOf(valueAt(object as unknown as Json, path))];
    }),
  );
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
