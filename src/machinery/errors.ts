import type { ListMeta } from './meta.ts';

/** The closed set of machine-readable reasons (meta/v1 StatusReason). */
export type StatusReason =
  | ''
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'StoreReadError'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable';

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The body of every answer that is not an object (meta/v1 Status). */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: ListMeta;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: StatusReason;
  readonly details?: StatusDetails;
  /** Absent from the good news of a deletion. */
  readonly code?: number;
}

/** An expected failure of a request, as a client sees it. */
export class ApiError extends Error {
  readonly status: Status;

  constructor(code: number, reason: StatusReason, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'ApiError';
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): StatusReason {
    return this.status.reason ?? '';
  }

  /** Rebuilds the error from a Status that a server sent. */
  static fromStatus(status: Status): ApiError {
    return new ApiError(status.code ?? 500, status.reason ?? '', status.message ?? '', status.details);
  }
}

/** Whether `error` is an ApiError with this reason. */
export function isReason(error: unknown, reason: StatusReason): error is ApiError {
  return error instanceof ApiError && error.reason === reason;
}

/** The resource that an error speaks of: `deployments.apps`, or `pods` in the core group. */
export interface ResourceName {
  readonly group: string;
  readonly resource: string;
}

/** `deployments.apps`, or `pods` for the core group. */
function qualifiedResource({ group, resource }: ResourceName): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** Details carry the resource in `kind`, as upstream's do. */
function detailsOf(of: ResourceName, name: string): StatusDetails {
  return { name, ...(of.group === '' ? {} : { group: of.group }), kind: of.resource };
}

export function notFound(of: ResourceName, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualifiedResource(of)} "${name}" not found`, detailsOf(of, name));
}

export function alreadyExists(of: ResourceName, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualifiedResource(of)} "${name}" already exists`, detailsOf(of, name));
}

export function conflict(of: ResourceName, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(of)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, detailsOf(of, name));
}

export function forbidden(of: ResourceName, name: string, why: string): ApiError {
  const subject =
    name === '' ? `${qualifiedResource(of)} is forbidden` : `${qualifiedResource(of)} "${name}" is forbidden`;
  const details = {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    kind: of.resource,
  };
  return new ApiError(403, 'Forbidden', `${subject}: ${why}`, details);
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

/** How Go prints one error, or several. */
export function aggregated(messages: readonly string[]): string {
  return messages.length === 1 ? messages[0]! : `[${messages.join(', ')}]`;
}

export function methodNotSupported(of: ResourceName, action: string): ApiError {
  const message = `${action} is not supported on resources of kind "${qualifiedResource(of)}"`;
  return new ApiError(405, 'MethodNotAllowed', message, {
    ...(of.group === '' ? {} : { group: of.group }),
    kind: of.resource,
  });
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function internalError(message: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

/** What a field error is about (the cause's `reason`). */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** One thing wrong with an object: where, what, and the message without the path in front. */
export interface FieldError {
  readonly type: FieldErrorType;
  /** For example `spec.containers[0].name`, `metadata.labels` or `spec.ports[1].port`. */
  readonly path: string;
  /** For example `Required value: name is required`. */
  readonly message: string;
}

const quoted = (value: unknown): string => {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'object' ? goJson(value) : quotedText(JSON.stringify(value));
};

/** Go escapes what nobody sees. */
function quotedText(text: string): string {
  return text.replace(
    /[\p{Cf}\p{Co}\p{Zl}\p{Zp}\u0080-\u00a0]/gu,
    (sign) => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}

/** JSON as Go writes it, with signs that mean something in HTML escaped. @param indent spaces for each level. */
export function goJson(value: unknown, indent = 0): string {
  return written(value, indent === 0 ? '' : '\n', ' '.repeat(indent)).replace(
    /[<>&]/g,
    (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`,
  );
}

/** An object whose keys keep their order, which JavaScript does not keep when they look like numbers. */
export class GoMap {
  readonly entries: readonly (readonly [string, unknown])[];

  constructor(map: Readonly<Record<string, unknown>>) {
    this.entries = Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1));
  }
}

function written(value: unknown, line: string, indent: string): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const inner = line === '' ? '' : line + indent;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((item) => inner + written(item, inner, indent)).join(',')}${line}]`;
  }
  const all = value instanceof GoMap ? value.entries : Object.entries(value);
  const entries = all.filter(([, member]) => member !== undefined);
  if (entries.length === 0) return '{}';
  const colon = line === '' ? ':' : ': ';
  const members = entries.map(
    ([key, member]) => `${inner}${JSON.stringify(key)}${colon}${written(member, inner, indent)}`,
  );
  return `{${members.join(',')}${line}}`;
}

/** Constructors that write messages the way upstream's field package does. */
export const fieldError = {
  required: (path: string, detail = ''): FieldError => make('FieldValueRequired', path, 'Required value', detail),
  invalid: (path: string, value: unknown, detail: string): FieldError =>
    make('FieldValueInvalid', path, `Invalid value: ${quoted(value)}`, detail),
  typeInvalid: (path: string, value: unknown, detail: string): FieldError =>
    make('FieldValueTypeInvalid', path, `Invalid value: ${quoted(value)}`, detail),
  notSupported: (path: string, value: unknown, allowed: readonly string[]): FieldError =>
    make('FieldValueNotSupported', path, `Unsupported value: ${quoted(value)}`, supported([...allowed].sort())),
  /** The values in an order that has a meaning. */
  notSupportedInOrder: (path: string, value: unknown, allowed: readonly string[]): FieldError =>
    make('FieldValueNotSupported', path, `Unsupported value: ${quoted(value)}`, supported(allowed)),
  duplicate: (path: string, value: unknown, detail = ''): FieldError =>
    make('FieldValueDuplicate', path, `Duplicate value: ${quoted(value)}`, detail),
  notFound: (path: string, value: unknown, detail = ''): FieldError =>
    make('FieldValueNotFound', path, `Not found: ${quoted(value)}`, detail),
  forbidden: (path: string, detail: string): FieldError => make('FieldValueForbidden', path, 'Forbidden', detail),
  tooLong: (path: string, maxBytes: number): FieldError =>
    make(
      'FieldValueTooLong',
      path,
      'Too long',
      `may not be more than ${maxBytes} ${maxBytes === 1 ? 'byte' : 'bytes'}`,
    ),
  tooMany: (path: string, actual: number, max: number): FieldError =>
    make('FieldValueTooMany', path, `Too many: ${actual}`, `must have at most ${max} ${max === 1 ? 'item' : 'items'}`),
  /** What upstream could not check, for a reason that it told elsewhere. */
  internal: (path: string, detail: string): FieldError => make('InternalError', path, 'Internal error', detail),
} as const;

function make(type: FieldErrorType, path: string, what: string, detail: string): FieldError {
  return { type, path, message: detail === '' ? what : `${what}: ${detail}` };
}

function supported(allowed: readonly string[]): string {
  return `supported values: ${allowed.map((value) => JSON.stringify(value)).join(', ')}`;
}

/** The 422 that a failed validation answers, with one cause per field error. */
export function invalid(
  of: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`;
  const lines = [...new Set(errors.map((error) => `${error.path}: ${error.message}`))];
  const message = `${kind} "${name}" is invalid: ${aggregated(lines)}`;
  return new ApiError(422, 'Invalid', message, {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    ...(of.kind === '' ? {} : { kind: of.kind }),
    causes: errors.map((error) => ({ reason: error.type, message: error.message, field: error.path })),
  });
}
