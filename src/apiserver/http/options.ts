import { badRequest } from '#machinery/errors.ts';
import { parseFieldSelector } from '#machinery/fields.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import { checkDeletion } from '../registry/deletion-options.ts';
import type { DeletionOptions, OperationOptions, PatchType, Verb } from '../registry/operation.ts';
import { type Encoding, noPatchType, unsupportedMediaType } from './negotiation.ts';
import { isTrue } from './request-info.ts';

type Fields = { -readonly [Key in keyof OperationOptions]: OperationOptions[Key] };

/** Verbs that choose among many objects. */
const choosing: ReadonlySet<Verb> = new Set(['list', 'watch', 'deletecollection']);

/** Options of reads and writes from the query string, as far as the verb has them. @throws ApiError 400. */
export function queryOptions(query: URLSearchParams, verb: Verb): OperationOptions {
  if (query.size === 0) return {};
  const options: Fields = choosing.has(verb) ? choice(query) : {};
  for (const name of ['resourceVersion', 'fieldManager', 'fieldValidation'] as const) {
    const value = query.get(name);
    if (value !== null && value !== '') options[name] = value;
  }
  const force = query.get('force');
  if (force !== null) options.force = isTrue(force);
  if (query.has('dryRun')) options.dryRun = true;
  return options;
}

/** Which of many objects, and how many of them. */
function choice(query: URLSearchParams): Fields {
  const options: Fields = {};
  // Numbers are read first of all, and so complained of first.
  for (const name of ['limit', 'timeoutSeconds'] as const) {
    const value = query.get(name);
    if (value !== null) options[name] = wholeNumber(value);
  }
  const labels = query.get('labelSelector');
  if (labels !== null && labels !== '') options.labelSelector = parsed(() => parseLabelSelector(labels));
  const fields = query.get('fieldSelector');
  if (fields !== null && fields !== '') options.fieldSelector = parsed(() => parseFieldSelector(fields));
  for (const name of ['resourceVersionMatch', 'continue'] as const) {
    const value = query.get(name);
    if (value !== null && value !== '') options[name] = value;
  }
  for (const name of ['allowWatchBookmarks', 'sendInitialEvents'] as const) {
    const value = query.get(name);
    if (value !== null) options[name] = isTrue(value);
  }
  return options;
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(text: string): number {
  const isNumber = /^[-+]?\d+$/.test(text);
  if (isNumber && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return Number(text);
  const why = isNumber ? 'value out of range' : 'invalid syntax';
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
}

/** DELETE takes its options from the body or, where there is none, from the query. */
export function deletionOptions(
  query: URLSearchParams,
  body: Readonly<Record<string, unknown>> | undefined,
): OperationOptions {
  const deletion = checkDeletion((body ?? deletionQuery(query)) as DeletionOptions);
  return { deletion, dryRun: (deletion.dryRun ?? []).length > 0 };
}

function deletionQuery(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const fromQuery: Record<string, unknown> = {};
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null) fromQuery['gracePeriodSeconds'] = wholeNumber(grace);
  const policy = query.get('propagationPolicy');
  if (policy !== null && policy !== '') fromQuery['propagationPolicy'] = policy;
  const orphan = query.get('orphanDependents');
  if (orphan !== null) fromQuery['orphanDependents'] = isTrue(orphan);
  const unsafe = query.get('ignoreStoreReadErrorWithClusterBreakingPotential');
  if (unsafe !== null) fromQuery['ignoreStoreReadErrorWithClusterBreakingPotential'] = isTrue(unsafe);
  const dryRun = query.getAll('dryRun');
  if (dryRun.length > 0) fromQuery['dryRun'] = dryRun;
  return fromQuery;
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};
const applyCbor = 'application/apply-patch+cbor';

/**
 * What a patch is, and how it is written. For built-in kinds upstream's router has a look before: it takes a list of
 * types for whatever of them it knows.
 * @throws ApiError 415.
 */
export function patchTypeOf(
  contentType: string | undefined,
  served: readonly Encoding[],
  { isCustom = false } = {},
): { readonly type: PatchType; readonly encoding: Encoding } {
  const media = (contentType ?? '').split(';', 1)[0]!;
  const type = Object.hasOwn(patchTypes, media) ? patchTypes[media]! : undefined;
  if (type !== undefined && !(isCustom && type === 'strategic'))
    return { type, encoding: type === 'apply' ? 'yaml' : 'json' };
  const cbor = served.includes('cbor');
  if (cbor && media === applyCbor) return { type: 'apply', encoding: 'cbor' };
  const known = Object.keys(patchTypes).filter((one) => !(isCustom && patchTypes[one] === 'strategic'));
  if (cbor) known.push(applyCbor);
  const named = (contentType ?? '').split(',').map((one) => one.split(';', 1)[0]!.trim());
  throw isCustom || named.some((one) => known.includes(one)) ? unsupportedMediaType(known) : noPatchType();
}
