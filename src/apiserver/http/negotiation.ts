import { ApiError } from '#machinery/errors.ts';

export type Encoding = 'json' | 'yaml' | 'protobuf' | 'cbor';

/** In which form a client wants its answer. */
export interface AnswerFormat {
  readonly encoding: Encoding;
  /** Tables are what `kubectl get` prints; metadata-only objects are for caches that need no more. */
  readonly as: 'object' | 'table' | 'metadata';
  readonly pretty: boolean;
}

export const mediaTypes: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
  cbor: 'application/cbor',
};

/** The forms that a server speaks, in the order in which it names them. CBOR is an alpha feature (KEP-4222). */
export function servedEncodings({ cbor }: { readonly cbor: boolean }): readonly Encoding[] {
  return cbor ? withCbor : withoutCbor;
}

const withoutCbor: readonly Encoding[] = ['json', 'yaml', 'protobuf'];
const withCbor: readonly Encoding[] = [...withoutCbor, 'cbor'];

const byMediaType: Readonly<Record<string, Encoding>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/cbor': 'cbor',
  '*/*': 'json',
  'application/*': 'json',
};

export interface NegotiationOptions {
  readonly pretty?: boolean;
  /** The forms that there are. */
  readonly served?: readonly Encoding[];
}

/**
 * The form that the client likes best of those that there are.
 * @throws ApiError 406 when there is none.
 */
export function negotiateAnswer(
  accept: string | undefined,
  { pretty = false, served = withoutCbor }: NegotiationOptions = {},
): AnswerFormat {
  if (accept === undefined || accept === '' || accept === mediaTypes.json)
    return { encoding: 'json', as: 'object', pretty };
  for (const { type, parameters } of mediaRanges(accept)) {
    const encoding = byMediaType[type];
    if (encoding === undefined) continue;
    const as = formOf(parameters);
    // Metadata has every form, also where the object has not.
    const isServed = served.includes(encoding) || (as === 'metadata' && encoding === 'protobuf');
    if (as !== undefined && isServed) return { encoding, as, pretty };
  }
  throw notAcceptable(served);
}

interface MediaRange {
  /** In lower case. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** By quality, then the more definite ones, then as they were written (RFC 9110, section 12.5.1). */
function mediaRanges(accept: string): readonly MediaRange[] {
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    return { type: type.toLowerCase(), parameters: new Map(parameters.map((one) => splitOnce(one, '='))) };
  });
  if (!accept.includes('q=') && !accept.includes('*')) return ranges;
  return ranges.sort((left, right) => qualityOf(right) - qualityOf(left) || wildness(left) - wildness(right));
}

function qualityOf({ parameters }: MediaRange): number {
  const quality = Number(parameters.get('q') ?? 1);
  return Number.isNaN(quality) ? 1 : quality;
}

function wildness({ type }: MediaRange): number {
  return type.startsWith('*') ? 2 : type.endsWith('*') ? 1 : 0;
}

export function notAcceptable(served: readonly Encoding[]): ApiError {
  const message = `only the following media types are accepted: ${namesOf(served).join(', ')}`;
  return new ApiError(406, 'NotAcceptable', message);
}

function formOf(parameters: ReadonlyMap<string, string>): AnswerFormat['as'] | undefined {
  const as = parameters.get('as');
  if (as === undefined) return 'object';
  if (parameters.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(parameters.get('v') ?? '')) return undefined;
  if (as === 'Table') return 'table';
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? 'metadata' : undefined;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function namesOf(encodings: readonly Encoding[]): readonly string[] {
  return encodings.map((encoding) => mediaTypes[encoding]);
}

/** The form of a request's body. @throws ApiError 415. */
export function bodyEncoding(contentType: string | undefined, served: readonly Encoding[]): Encoding {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  if (type === '') return 'json';
  const encoding = byMediaType[type];
  if (encoding !== undefined && !type.includes('*') && served.includes(encoding)) return encoding;
  throw unsupportedMediaType(namesOf(served));
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}
