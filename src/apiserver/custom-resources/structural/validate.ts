import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { formatProblem } from './formats.ts';
import { isSchema } from './node.ts';
import { patternMatches } from './patterns.ts';

/**
 * Everything about a value that its schema forbids, in the words of upstream's OpenAPI validator. With `old`, what was
 * wrong before and has not changed is let be (ratcheting, KEP-4008).
 */
export function validateValue(
  value: Json,
  props: JSONSchemaProps,
  path = '',
  old: { readonly value: Json | undefined } | undefined = undefined,
): readonly FieldError[] {
  const found: FieldError[] = [];
  validate({ value, props, path, old: old === undefined ? undefined : old.value }, found);
  return found.length < 2 ? found : once(found);
}

/** What is told twice, as by two ways of which one has to hold, is told once. */
function once(errors: readonly FieldError[]): readonly FieldError[] {
  return [...new Map(errors.map((error) => [`${error.path}: ${error.message}`, error])).values()];
}

interface Place {
  readonly value: Json;
  readonly props: JSONSchemaProps;
  /** Dotted, with list indices in brackets; '' for the whole. */
  readonly path: string;
  /** What stood here before; undefined: nothing to compare with. */
  readonly old: Json | undefined;
}

function validate(place: Place, found: FieldError[]): void {
  const { value, props, old } = place;
  if (old !== undefined && old !== null && equalValues(old, value)) return;
  // In the order in which upstream asks; of nothing, it asks what type it has and whether it is among what may be.
  const isRightType = (value === null && props.nullable === true) || hasRightType(place, found);
  if (value !== null || (isRightType && props.nullable !== true)) validateComposed(place, found);
  if (typeof value === 'string') validateString(place, value, found);
  else if (typeof value === 'number' || typeof value === 'bigint') validateNumber(place, value, found);
  else if (Array.isArray(value)) validateList(place, value, found);
  validateEnum(place, found);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    validateObject(place, value as JsonObject, found);
}

/** What a message calls the place: the whole object has no name. */
function fieldOf({ path }: Place): string {
  return path === '' ? '<nil>' : path;
}

function refuse(place: Place, found: FieldError[], what: string, shown: unknown = place.value): void {
  found.push(fieldError.invalid(fieldOf(place), shown, `${place.path} in body ${what}`));
}

function hasRightType(place: Place, found: FieldError[]): boolean {
  const { value, props } = place;
  const actual = jsonTypeOf(value);
  if (props['x-kubernetes-int-or-string'] === true) {
    if (actual === 'integer' || actual === 'string') return true;
    refuseType(place, found, 'integer,string', actual);
    return false;
  }
  const wanted = props.type ?? '';
  if (wanted === '' || wanted === actual) return true;
  if (wanted === 'number' && actual === 'integer') return true;
  if (wanted === 'integer' && typeof value === 'number' && Number.isInteger(value)) return true;
  refuseType(place, found, wanted, actual);
  return false;
}

function refuseType(place: Place, found: FieldError[], wanted: string, actual: string): void {
  const detail = `${place.path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`;
  found.push(fieldError.typeInvalid(fieldOf(place), actual, detail));
}

/** The type of a value in the words of JSON schema. */
function jsonTypeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    default:
      return typeof value;
  }
}

function validateEnum(place: Place, found: FieldError[]): void {
  const allowed = place.props.enum;
  if (allowed === undefined || allowed.length === 0) return;
  if (allowed.some((each) => equalValues(each, place.value) && typeof each === typeof place.value)) return;
  const words = allowed.map((each) => (typeof each === 'string' ? each : stringifyJson(each)));
  // In the order of the schema, which may mean something.
  found.push(fieldError.notSupportedInOrder(fieldOf(place), place.value, words));
}

function validateString(place: Place, value: string, found: FieldError[]): void {
  validateText(place, value, found);
  const { format } = place.props;
  if (format === undefined || !formatProblem(format, value)) return;
  const detail = `${place.path} in body must be of type ${format}: ${JSON.stringify(value)}`;
  found.push(fieldError.typeInvalid(fieldOf(place), value, detail));
}

/** Length and pattern: the first that is wrong is told. */
function validateText(place: Place, value: string, found: FieldError[]): void {
  const { maxLength, minLength, pattern } = place.props;
  const length = maxLength === undefined && minLength === undefined ? 0 : characters(value);
  if (maxLength !== undefined && length > maxLength) {
    const message = `Too long: may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}`;
    found.push({ type: 'FieldValueTooLong', path: fieldOf(place), message });
  } else if (minLength !== undefined && length < minLength)
    refuse(place, found, `should be at least ${minLength} chars long`);
  else if (pattern !== undefined && pattern !== '' && !patternMatches(pattern, value))
    refuse(place, found, `should match '${pattern}'`);
}

/** Code points, which is how JSON schema measures. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function validateNumber(place: Place, value: number | bigint, found: FieldError[]): void {
  const { exclusiveMaximum, exclusiveMinimum, multipleOf } = place.props;
  // A whole number is compared with whole numbers, as upstream compares it.
  const isWhole = typeof value === 'bigint' || Number.isInteger(value);
  const bound = (limit: number | undefined): number | undefined =>
    limit === undefined || !isWhole ? limit : Math.trunc(limit);
  const [maximum, minimum] = [bound(place.props.maximum), bound(place.props.minimum)];
  checkRange(place, value, found);
  if (multipleOf !== undefined && !isMultiple(Number(value), multipleOf))
    refuse(place, found, `should be a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
    refuse(place, found, `should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
    refuse(place, found, `should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
}

/** Whether a number fits the format of its type; upstream says so of no field in particular. */
function checkRange({ props, path }: Place, value: number | bigint, found: FieldError[]): void {
  const { type, format = '' } = props;
  if (type !== 'integer' && type !== 'number') return;
  const say = (what: string): void =>
    void found.push(fieldError.invalid('<nil>', '', `Checked value must be of type ${type} ${what} in ${path}`));
  if (type === 'integer' && format === '' && typeof value === 'number' && !Number.isInteger(value))
    return say('(default format)');
  const range = ranges[format];
  const fits = range === undefined || (value >= range[0] && value <= range[1]);
  const isWhole = type !== 'integer' || typeof value === 'bigint' || Number.isInteger(value);
  if (!fits || (range !== undefined && !isWhole)) say(`with format ${format}`);
}

const ranges: Readonly<Record<string, readonly [number | bigint, number | bigint]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  float: [-3.4028234663852886e38, 3.4028234663852886e38],
};

function isMultiple(value: number, of: number): boolean {
  const ratio = value / of;
  return Math.abs(ratio - Math.round(ratio)) < 1e-9;
}

function validateList(place: Place, value: readonly Json[], found: FieldError[]): void {
  const { props, path, old } = place;
  const { maxItems, minItems } = props;
  if (isSchema(props.items)) {
    const before = itemsBefore(props, old);
    for (let index = 0; index < value.length; index++) {
      const item = value[index]!;
      validate({ value: item, props: props.items, path: `${path}[${index}]`, old: before?.(item) }, found);
    }
  }
  if (maxItems !== undefined && value.length > maxItems)
    found.push(fieldError.tooMany(fieldOf(place), value.length, maxItems));
  if (minItems !== undefined && value.length < minItems)
    refuse(place, found, `should have at least ${minItems} items`, value.length);
  if (props.uniqueItems === true && hasDuplicates(value)) refuse(place, found, `shouldn't contain duplicates`);
}

function hasDuplicates(value: readonly Json[]): boolean {
  return value.some((item, index) => value.slice(0, index).some((other) => equalValues(item, other)));
}

/** Items of a `map` list are told apart by their keys; of other lists nobody knows which item was which. */
function itemsBefore(props: JSONSchemaProps, old: Json | undefined): ((item: Json) => Json | undefined) | undefined {
  if (!Array.isArray(old) || props['x-kubernetes-list-type'] !== 'map') return undefined;
  const keys = props['x-kubernetes-list-map-keys'] ?? [];
  const defaults = isSchema(props.items) ? (props.items.properties ?? {}) : {};
  const identity = (item: Json): string => {
    const fields = (typeof item === 'object' && item !== null ? item : {}) as JsonObject;
    return stringifyJson(keys.map((key) => fields[key] ?? defaults[key]?.default ?? null));
  };
  const byKeys = new Map((old as readonly Json[]).map((item) => [identity(item), item]));
  return (item) => byKeys.get(identity(item));
}

function validateObject(place: Place, value: JsonObject, found: FieldError[]): void {
  const { props, path } = place;
  const { maxProperties, minProperties, properties = {} } = props;
  const additionalProperties: unknown = props.additionalProperties;
  const old = props['x-kubernetes-map-type'] === 'atomic' ? undefined : (place.old as JsonObject | undefined);
  const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? old : undefined;
  const names = Object.keys(value);
  if (maxProperties !== undefined && names.length > maxProperties)
    found.push(fieldError.tooMany(fieldOf(place), names.length, maxProperties));
  if (minProperties !== undefined && names.length < minProperties)
    refuse(place, found, `should have at least ${minProperties} properties`, names.length);
  const hasMetadata = path === '' || props['x-kubernetes-embedded-resource'] === true;
  for (const name of names) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (inner === false && !(hasMetadata && metaFields.has(name)))
      found.push(fieldError.invalid(fieldOf(place), '', `${childPath(path, name)} in body is a forbidden property`));
    if (!isSchema(inner)) continue;
    const oldMember = before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
    validate({ value: value[name]!, props: inner, path: childPath(path, name), old: oldMember }, found);
  }
  for (const name of props.required ?? [])
    if (!Object.hasOwn(value, name)) found.push(fieldError.required(childPath(path, name)));
}

const metaFields = new Set(['apiVersion', 'kind', 'metadata']);

function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** What stands under `allOf`, `anyOf`, `oneOf` and `not`: nothing there is compared with what was before. */
function validateComposed(place: Place, found: FieldError[]): void {
  const { value, props, path } = place;
  const problemsOf = (inner: JSONSchemaProps): readonly FieldError[] => validateValue(value, inner, path);
  const say = (what: string): void =>
    void found.push(fieldError.invalid('<nil>', '', `${JSON.stringify(path)} ${what}`));
  const { allOf = [], anyOf = [], oneOf = [], not } = props;
  if (anyOf.length > 0) {
    const outcomes = anyOf.map(problemsOf);
    if (!outcomes.some((problems) => problems.length === 0)) {
      say('must validate at least one schema (anyOf)');
      found.push(...closest(outcomes));
    }
  }
  if (oneOf.length > 0) {
    const outcomes = oneOf.map(problemsOf);
    const valid = outcomes.filter((problems) => problems.length === 0).length;
    if (valid !== 1) {
      say(
        `must validate one and only one schema (oneOf). ${valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`}`,
      );
      if (valid === 0) found.push(...closest(outcomes));
    }
  }
  if (allOf.length > 0) {
    const outcomes = allOf.map(problemsOf);
    found.push(...outcomes.flat());
    const valid = outcomes.filter((problems) => problems.length === 0).length;
    if (valid < allOf.length) say(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`);
  }
  if (not !== undefined && problemsOf(not).length === 0) say('must not validate the schema (not)');
}

/** Of several ways to be wrong, the one that was least so. */
function closest(outcomes: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return outcomes.reduce((best, next) => (next.length < best.length ? next : best));
}
