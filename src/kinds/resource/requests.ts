import type * as resource from '#kinds/generated/types/resource_v1.ts';
import { each, invalidAll, oneOf, requiredOneOf } from '#kinds/validation/common.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, labelKeyProblems, labelValueProblems, subdomainProblems } from '#machinery/names.ts';
import { taintEffects } from './device.ts';
import { validateFullyQualifiedName } from './names.ts';
import { byName, validateName, validateSet } from './sets.ts';

/** Which devices somebody asks for, and how they are to be set up. */

const maxRequests = 32;
const maxAlternatives = 8;
const maxConstraints = 32;
export const maxConfigurations = 32;
const maxSelectors = 32;
const maxExpressionBytes = 10 * 1024;
const maxParameterBytes = 10 * 1024;

/** What is wrong with an expression that selects devices; known where expressions can be compiled. */
export type SelectorCheck = (expression: string, path: string) => FieldError | undefined;

export function validateClaimSpec(
  spec: resource.ResourceClaimSpec | undefined,
  path: string,
  compile: SelectorCheck = () => undefined,
): FieldError[] {
  const { requests, constraints, config } = spec?.devices ?? {};
  const names = requestNames(requests);
  const at = `${path}.devices`;
  const limits = { max: maxRequests, key: byName };
  return [
    ...validateSet(requests, `${at}.requests`, limits, (request, place) => validateRequest(request, place, compile)),
    ...validateSet(constraints, `${at}.constraints`, { max: maxConstraints }, (constraint, place) =>
      validateConstraint(constraint, place, names),
    ),
    ...validateSet(config, `${at}.config`, { max: maxConfigurations }, (configuration, place) => [
      ...validateReferences(configuration.requests, `${place}.requests`, names),
      ...validateConfiguration(configuration, place),
    ]),
  ];
}

/** Names that others may use: of requests, and of alternatives behind a slash. */
export function requestNames(requests: readonly resource.DeviceRequest[] = []): ReadonlySet<string> {
  const isPlain = ({ name = '' }: { readonly name?: string }): boolean => !name.includes('/');
  return new Set(
    requests
      .filter(isPlain)
      .flatMap(({ name, firstAvailable = [] }) => [
        name,
        ...firstAvailable.filter(isPlain).map((other) => `${name}/${other.name}`),
      ]),
  );
}

function validateRequest(request: resource.DeviceRequest, path: string, compile: SelectorCheck): FieldError[] {
  const { exactly, firstAvailable = [] } = request;
  const errors = validateName(request.name, `${path}.name`);
  const either = 'exactly one of `exactly` or `firstAvailable` is required';
  if (exactly === undefined && firstAvailable.length === 0) return [...errors, fieldError.required(path, either)];
  if (exactly !== undefined && firstAvailable.length > 0)
    return [...errors, fieldError.invalid(path, null, `${either}, but multiple fields are set`)];
  if (exactly !== undefined) return [...errors, ...validateExact(exactly, `${path}.exactly`, compile)];
  const limits = { max: maxAlternatives, key: byName };
  return [
    ...errors,
    ...validateSet(firstAvailable, `${path}.firstAvailable`, limits, (alternative, at) => [
      ...validateName(alternative.name, `${at}.name`),
      ...validateExact(alternative, at, compile),
    ]),
  ];
}

function validateExact(request: resource.ExactDeviceRequest, path: string, compile: SelectorCheck): FieldError[] {
  const { deviceClassName = '', selectors, allocationMode, count = 0 } = request;
  const errors =
    deviceClassName === ''
      ? [fieldError.required(`${path}.deviceClassName`)]
      : invalidAll(`${path}.deviceClassName`, deviceClassName, subdomainProblems(deviceClassName));
  errors.push(
    ...validateSelectors(selectors, `${path}.selectors`, compile),
    ...oneOf(allocationMode ?? '', ['All', 'ExactCount'], `${path}.allocationMode`),
  );
  if (allocationMode === 'All' && count !== 0)
    errors.push(fieldError.invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  if (allocationMode === 'ExactCount' && count <= 0)
    errors.push(fieldError.invalid(`${path}.count`, count, 'must be greater than zero'));
  return [...errors, ...each(request.tolerations, `${path}.tolerations`, validateToleration)];
}

function validateToleration(toleration: resource.DeviceToleration, path: string): FieldError[] {
  const { key = '', operator, value = '', effect = '' } = toleration;
  const errors = key === '' ? [] : invalidAll(`${path}.key`, key, labelKeyProblems(key));
  if (operator === 'Exists') {
    if (value !== '') errors.push(fieldError.invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') errors.push(...invalidAll(`${path}.value`, value, labelValueProblems(value)));
  else errors.push(...requiredOneOf(operator, ['Equal', 'Exists'], `${path}.operator`));
  if (effect === '') return errors;
  return [...errors, ...oneOf(effect, taintEffects, `${path}.effect`)];
}

export function validateSelectors(
  selectors: readonly resource.DeviceSelector[] | undefined,
  path: string,
  compile: SelectorCheck,
): FieldError[] {
  return validateSet(selectors, path, { max: maxSelectors }, ({ cel }, place) => {
    if (cel === undefined) return [fieldError.required(`${place}.cel`)];
    const at = `${place}.cel.expression`;
    const { expression = '' } = cel;
    if (byteLength(expression) > maxExpressionBytes) return [fieldError.tooLong(at, maxExpressionBytes)];
    const problem = compile(expression, at);
    return problem === undefined ? [] : [problem];
  });
}

const referenceMessage =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

export function validateReferences(
  names: readonly string[] | undefined,
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  return validateSet(names, path, { max: maxRequests, key: (name) => name }, (name, at) =>
    validateReference(name, at, known),
  );
}

export function validateReference(name: string, path: string, known: ReadonlySet<string>): FieldError[] {
  const parts = name.split('/');
  if (parts.length > 2) return [fieldError.invalid(path, name, referenceMessage)];
  const errors = parts.flatMap((part) => validateName(part, path));
  return known.has(name) ? errors : [...errors, fieldError.invalid(path, name, referenceMessage)];
}

function validateConstraint(
  constraint: resource.DeviceConstraint,
  path: string,
  names: ReadonlySet<string>,
): FieldError[] {
  const { matchAttribute, distinctAttribute } = constraint;
  const errors = validateReferences(constraint.requests, `${path}.requests`, names);
  if (matchAttribute !== undefined)
    return [...errors, ...validateFullyQualifiedName(matchAttribute, `${path}.matchAttribute`)];
  if (distinctAttribute !== undefined)
    return [...errors, ...validateFullyQualifiedName(distinctAttribute, `${path}.distinctAttribute`)];
  const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...errors, fieldError.required(path, detail)];
}

export function validateConfiguration({ opaque }: resource.DeviceClassConfiguration, path: string): FieldError[] {
  if (opaque === undefined) return [fieldError.required(`${path}.opaque`)];
  const { driver, parameters } = opaque;
  const errors = validateDriverName(driver, `${path}.opaque.driver`);
  return [...errors, ...validateObjectText(parameters, `${path}.opaque.parameters`)];
}

/** Values of a driver's own making: an object of limited size. */
export function validateObjectText(value: unknown, path: string): FieldError[] {
  if (value === undefined || value === null) return [fieldError.required(path)];
  if (byteLength(JSON.stringify(value)) > maxParameterBytes) return [fieldError.tooLong(path, maxParameterBytes)];
  if (typeof value === 'object' && !Array.isArray(value)) return [];
  return [fieldError.invalid(path, '<value omitted>', 'must be a valid JSON object')];
}
