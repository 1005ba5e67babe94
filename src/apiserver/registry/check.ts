import { type CheckOrder, checkOrderOf, customCheckOrder } from '#kinds/check-order.ts';
import type { RuleContext } from '#kinds/kind.ts';
import {
  type ObjectMetaOptions,
  validateKubeFinalizers,
  validateNames,
  validateObjectMeta,
  validateObjectMetaChange,
  validateObjectMetaUpdate,
} from '#kinds/validation/object-meta.ts';
import type { FieldError } from '#machinery/errors.ts';
import type { ApiObject, GroupVersionKind } from '#machinery/meta.ts';
import type { ServedResource } from '../resources/resource.ts';

/** What the path and every kind ask of metadata. */
function commonOptions({ kind: { namespaced } }: ServedResource): ObjectMetaOptions {
  return { namespaced, nameRule: 'pathSegment', finalizerRule: 'any' };
}

function ownOptions({ kind: { namespaced }, rules }: ServedResource, object: ApiObject): ObjectMetaOptions {
  const { nameRule = 'subdomain', finalizerRule, nameProblems } = rules;
  return {
    namespaced,
    nameRule,
    finalizerRule,
    nameProblems: nameProblems && ((name, isPrefix) => nameProblems(name, object, isPrefix)),
  };
}

function orderOf({ kind, custom }: ServedResource): CheckOrder {
  return custom === undefined ? checkOrderOf(kind) : customCheckOrder;
}

/** Everything wrong with a new object, after what is told `first`. */
export function problemsOfNew(
  resource: ServedResource,
  object: ApiObject,
  context: RuleContext,
  first: readonly FieldError[] = [],
): FieldError[] {
  const errors = [...first];
  const options = ownOptions(resource, object);
  for (const check of orderOf(resource).create) {
    if (check === 'O') {
      errors.push(...(resource.rules.validate?.(object, context) ?? []));
      errors.push(...(resource.rules.validateNew?.(object, context) ?? []));
    } else errors.push(...validateObjectMeta(object.metadata, { ...options, anyGenerateName: check === 'm' }));
  }
  return errors.length > 0 ? errors : validateObjectMeta(object.metadata, commonOptions(resource));
}

/** Of what kind an object is refused: a custom one may say anything. */
export function saidKind(
  { kind, custom }: ServedResource,
  object: ApiObject,
): Pick<GroupVersionKind, 'group' | 'kind'> {
  return custom === undefined ? kind : { group: kind.group, kind: object.kind ?? kind.kind };
}

/** A change, and the checks of the kind or subresource that it goes through. */
export interface CheckedChange {
  readonly object: ApiObject;
  readonly old: ApiObject;
  readonly order: keyof Pick<CheckOrder, 'update' | 'status'>;
  /** What is told before everything that the kind checks. */
  readonly first?: readonly FieldError[] | undefined;
  readonly whole: () => readonly FieldError[];
  readonly change: () => readonly FieldError[];
}

/** Everything wrong with a changed object. */
export function problemsOfChange(
  resource: ServedResource,
  { object, old, order, first = [], whole, change }: CheckedChange,
): FieldError[] {
  const { metadata } = object;
  const errors = validateObjectMeta(metadata, commonOptions(resource));
  // Upstream asks some things twice and says what is wrong twice; where nothing is, once will do.
  if (errors.length > 0) errors.push(...validateObjectMetaUpdate(metadata, old.metadata, 'any'));
  else errors.push(...validateObjectMetaChange(metadata, old.metadata));
  const isSound = errors.length === 0;
  errors.push(...first);
  const options = ownOptions(resource, object);
  for (const check of orderOf(resource)[order]) {
    if (check === 'O') errors.push(...whole());
    else if (check === 'C') errors.push(...change());
    else if (check === 'U' && isSound) errors.push(...validateKubeFinalizers(metadata, options));
    else if (check === 'U') errors.push(...validateObjectMetaUpdate(metadata, old.metadata, options.finalizerRule));
    else {
      const own = { ...options, anyGenerateName: check === 'm' };
      if (isSound) errors.push(...validateNames(metadata, own), ...validateKubeFinalizers(metadata, own));
      else errors.push(...validateObjectMeta(metadata, own));
    }
  }
  return errors;
}
