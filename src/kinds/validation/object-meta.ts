import { goStruct } from '#kinds/go-struct.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { canonicalIpProblems } from '#machinery/ip.ts';
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '#machinery/meta.ts';
import {
  byteLength,
  label1035Problems,
  label1123Problems,
  labelKeyProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '#machinery/names.ts';
import { each, immutable, invalidAll, nonNegative, validateLabels } from './common.ts';

export interface ObjectMetaOptions {
  readonly namespaced: boolean;
  readonly nameRule: NonNullable<KindRules['nameRule']>;
  /** Instead of the rule. */
  readonly nameProblems?: ((name: string, isPrefix: boolean) => string[]) | undefined;
  readonly finalizerRule?: KindRules['finalizerRule'];
  /** The prefix of a generated name is not looked at: the name that came of it is. */
  readonly anyGenerateName?: boolean;
}

const maximumAnnotationBytes = 256 * 1024;
const maximumManagerBytes = 128;
const maximumSubresourceBytes = 256;

const nameProblems: Readonly<Record<ObjectMetaOptions['nameRule'], (name: string) => string[]>> = {
  subdomain: (name) => subdomainProblems(name),
  label: label1123Problems,
  rfc1035Label: label1035Problems,
  pathSegment: pathSegmentProblems,
  ip: canonicalIpProblems,
};

/** Everything wrong with an object's metadata, whatever its kind. */
export function validateObjectMeta(metadata: ObjectMeta, options: ObjectMetaOptions): FieldError[] {
  const { labels, annotations, ownerReferences, finalizers, managedFields } = metadata;
  const errors = validateNames(metadata, options);
  errors.push(...nonNegative(metadata.generation, 'metadata.generation'));
  // Most objects lack most of these, and every write comes by here.
  if (labels !== undefined) errors.push(...validateLabels(labels, 'metadata.labels'));
  if (annotations !== undefined) errors.push(...validateAnnotations(annotations, 'metadata.annotations'));
  if (ownerReferences !== undefined) errors.push(...validateOwnerReferences(ownerReferences));
  if (finalizers !== undefined) errors.push(...validateFinalizers(finalizers));
  errors.push(...each(managedFields, 'metadata.managedFields', validateManagedFields));
  errors.push(...validateKubeFinalizers(metadata, options));
  return errors;
}

/** Everything wrong with a change of metadata, and what upstream checks again on that occasion. */
export function validateObjectMetaUpdate(
  metadata: ObjectMeta,
  old: ObjectMeta,
  finalizerRule: ObjectMetaOptions['finalizerRule'],
): FieldError[] {
  return [
    ...validateObjectMetaChange(metadata, old),
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...validateOwnerReferences(metadata.ownerReferences),
    ...each(metadata.managedFields, 'metadata.managedFields', validateManagedFields),
    ...validateKubeFinalizers(metadata, { finalizerRule }),
  ];
}

/** The change alone: all there is to find where nothing is wrong with the new metadata themselves. */
export function validateObjectMetaChange(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      const list = `[]string{${[...new Set(added)]
        .sort()
        .map((name) => JSON.stringify(name))
        .join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(fieldError.forbidden('metadata.finalizers', detail));
    }
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(fieldError.invalid('metadata.generation', metadata.generation ?? 0, 'must not be decremented'));
  }
  for (const field of fixedFields)
    if (metadata[field] !== old[field]) errors.push(...immutable(metadata[field], old[field], `metadata.${field}`));
  return errors;
}

const fixedFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

export function validateNames(metadata: ObjectMeta, options: ObjectMetaOptions): FieldError[] {
  const { namespaced, nameRule, anyGenerateName } = options;
  const { name = '', generateName = '', namespace = '' } = metadata;
  const errors: FieldError[] = [];
  const problems = options.nameProblems ?? ((text) => nameProblems[nameRule](text));
  if (generateName !== '' && anyGenerateName !== true) {
    // What follows the prefix may make a trailing dash part of a good name.
    const masked =
      nameRule !== 'pathSegment' && options.nameProblems === undefined && /.-$/.test(generateName)
        ? `${generateName.slice(0, -2)}a`
        : generateName;
    errors.push(...invalidAll('metadata.generateName', generateName, problems(masked, true)));
  }
  if (name === '') errors.push(fieldError.required('metadata.name', 'name or generateName is required'));
  else errors.push(...invalidAll('metadata.name', name, problems(name, false)));
  if (namespaced && namespace === '') errors.push(fieldError.required('metadata.namespace'));
  else if (namespaced) errors.push(...invalidAll('metadata.namespace', namespace, label1123Problems(namespace)));
  else if (namespace !== '') errors.push(fieldError.forbidden('metadata.namespace', 'not allowed on this type'));
  return errors;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  if (annotations === undefined) return [];
  const entries = Object.entries(annotations);
  const errors = entries.flatMap(([key]) => invalidAll(path, key, labelKeyProblems(key.toLowerCase())));
  const size = entries.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  if (size > maximumAnnotationBytes) errors.push(fieldError.tooLong(path, maximumAnnotationBytes));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[] = []): FieldError[] {
  const path = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const reference of references) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === undefined) {
      controller = name;
    } else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      const shown = references.map((one) => goStruct('v1.OwnerReference', one));
      errors.push(fieldError.invalid(path, shown, detail));
    }
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: string): FieldError[] {
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
  const errors: FieldError[] = [];
  if (versionOf(apiVersion) === '')
    errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'));
  if (kind === '') errors.push(fieldError.invalid(`${path}.kind`, kind, 'must not be empty'));
  if (name === '') errors.push(fieldError.invalid(`${path}.name`, name, 'must not be empty'));
  if (uid === '') errors.push(fieldError.invalid(`${path}.uid`, uid, 'must not be empty'));
  if (apiVersion === 'v1' && kind === 'Event') {
    errors.push(fieldError.invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

/** What does not read as `group/version` has no version either. */
function versionOf(apiVersion: string): string {
  const parts = apiVersion.split('/');
  return parts.length > 2 ? '' : parts.at(-1)!;
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** Finalizers of most kinds are standard ones or say whose they are. */
export function validateKubeFinalizers(
  { finalizers = [] }: ObjectMeta,
  { finalizerRule }: Pick<ObjectMetaOptions, 'finalizerRule'>,
): FieldError[] {
  if (finalizerRule === 'any') return [];
  return finalizers.flatMap((name, index) => validateKubeFinalizer(name, `metadata.finalizers[${index}]`));
}

export function validateKubeFinalizer(name: string, path: string): FieldError[] {
  if (name.includes('/') || standardFinalizers.includes(name)) return [];
  return [fieldError.invalid(path, name, 'name is neither a standard finalizer name nor is it fully qualified')];
}

function validateFinalizers(finalizers: readonly string[]): FieldError[] {
  const path = 'metadata.finalizers';
  const errors = finalizers.flatMap((name) => invalidAll(path, name, labelKeyProblems(name)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(fieldError.invalid(path, finalizers, detail));
  }
  return errors;
}

function validateManagedFields(entry: ManagedFieldsEntry, path: string): FieldError[] {
  const { operation = '', fieldsType = '', manager = '', subresource = '' } = entry;
  const errors: FieldError[] = [];
  if (operation !== 'Apply' && operation !== 'Update') {
    errors.push(fieldError.invalid(`${path}.operation`, operation, 'must be `Apply` or `Update`'));
  }
  if (fieldsType !== '' && fieldsType !== 'FieldsV1') {
    errors.push(fieldError.invalid(`${path}.fieldsType`, fieldsType, 'must be `FieldsV1`'));
  }
  if (byteLength(manager) > maximumManagerBytes)
    errors.push(fieldError.tooLong(`${path}.manager`, maximumManagerBytes));
  if (byteLength(subresource) > maximumSubresourceBytes) {
    errors.push(fieldError.tooLong(`${path}.subresource`, maximumSubresourceBytes));
  }
  return errors;
}
