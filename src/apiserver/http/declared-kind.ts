import { hasSchema } from '#kinds/schemas.ts';
import { type ApiError, badRequest } from '#machinery/errors.ts';
import { apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import { typeProblem } from '#machinery/type-problem.ts';
import type { ExpectedKind } from './decode.ts';

/** Where upstream keeps its types, as its messages name it. */
export const scheme = 'scheme "pkg/runtime/scheme.go:111"';

/** Evictions may still say the version that they came in. */
const olderEvictions = 'policy/v1beta1';

const inEveryVersion = new Set(['DeleteOptions', 'ListOptions', 'Status', 'WatchEvent']);

/**
 * Whether a body is of the kind that it was sent as; one that does not say is.
 * @throws ApiError 400
 */
export function checkDeclaredKind(body: JsonObject, expected: ExpectedKind, bytes: Uint8Array): void {
  if (expected.custom !== undefined) return checkCustomKind(body, expected, bytes);
  const apiVersion = (body['apiVersion'] as string | undefined) || apiVersionOf(expected);
  const kind = (body['kind'] as string | undefined) || expected.kind;
  if (apiVersion === apiVersionOf(expected) && kind === expected.kind) return;
  if (expected.kind === 'Eviction' && kind === 'Eviction' && apiVersion === olderEvictions) return;
  const version = apiVersion.split('/').at(-1)!;
  const asRead = kind === expected.kind ? apiVersion : version;
  const cannot = `${kind} in version ${JSON.stringify(asRead)} cannot be handled as a ${expected.kind}`;
  if (kind === expected.kind || !isRegistered(apiVersion, kind))
    throw badRequest(
      `${cannot}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in ${scheme}`,
    );
  const group = expected.group === '' ? 'core' : expected.group.split('.')[0];
  throw badRequest(`${cannot}: converting (${version}.${kind}) to (${group}.${expected.kind}): unknown conversion`);
}

function isRegistered(apiVersion: string, kind: string): boolean {
  const [version, group = 'core'] = apiVersion.split('/').reverse();
  return inEveryVersion.has(kind) || hasSchema(`${group.split('.')[0]}.${version}.${kind}`);
}

/** Objects of custom kinds have to say what they are: of which version, and that they are of some kind. */
function checkCustomKind(body: JsonObject, expected: ExpectedKind, bytes: Uint8Array): void {
  const problem = typeProblem(body);
  if (problem !== undefined) throw unrecognized(expected, bytes, problem);
  if ((body['kind'] ?? '') === '')
    throw unrecognized(expected, bytes, `Object 'Kind' is missing in '${Buffer.from(bytes).toString()}'`);
  const apiVersion = body['apiVersion'] ?? '';
  if (apiVersion === apiVersionOf(expected)) return;
  throw badRequest(
    `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(expected)})`,
  );
}

export function unrecognized({ kind }: ExpectedKind, bytes: Uint8Array, why: string): ApiError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${excerpt(bytes)})`);
}

/** Bytes of an unreadable body that its sender gets to see. */
const maxExcerpt = 30;

function excerpt(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const shown = Buffer.from(bytes.subarray(0, maxExcerpt));
  return `${shown.toString(bytes[0] === 0x7b ? 'utf8' : 'hex')}${bytes.length > maxExcerpt ? ' ...' : ''}`;
}
