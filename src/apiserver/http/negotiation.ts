import { ApiError } from '#machinery/errors.ts';

export type Encoding = 'json' | 'yaml' | 'protobuf' | 'cbor';

/** In which form a client wants its answer. */
export interface AnswerFormat {
  readonly encoding: Encoding;
  /** Tables are what `kubectl get` prints; metadata without the rest is for caches that need no more. */
  readonly as: 'object' | 'table' | 'metadata' | 'metadata list';
  /** The version of `meta.k8s.io` in which tables and metadata are told. */
  readonly metaVersion: MetaVersion;
  readonly pretty: boolean;
}

export type MetaVersion = 'v1' | 'v1beta1';

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

/** What upstream's router refuses before a handler sees it. */
export class RouterRefusal extends ApiError {}

const withoutCbor: readonly Encoding[] = ['json', 'yaml', 'protobuf'];
const withCbor: readonly Encoding[] = [...withoutCbor, 'cbor'];

/** Encodings in which a watch can be told: events in YAML would have no end that is seen. */
export type StreamEncoding = Exclude<Encoding, 'yaml'>;

const streamTypes: Readonly<Record<StreamEncoding, string>> = {
  json: `${mediaTypes.json};stream=watch`,
  protobuf: `${mediaTypes.protobuf};stream=watch`,
  cbor: 'application/cbor-seq',
};

export interface NegotiationOptions {
  readonly pretty?: boolean;
  /** The forms that there are. */
  readonly served?: readonly Encoding[];
  /** Objects of custom kinds have no protobuf form; their metadata have. */
  readonly isCustom?: boolean;
  /** Answers to questions, and of actions, have no table; true unless set. */
  readonly hasTable?: boolean;
}

/**
 * The form that the client likes best of those that there are.
 * @throws ApiError 406 when there is none.
 */
export function negotiateAnswer(
  accept: string | undefined,
  { pretty = false, served = withoutCbor, isCustom = false, hasTable = true }: NegotiationOptions = {},
): AnswerFormat {
  if (accept === undefined || accept === '' || accept === mediaTypes.json) return plainFormat(pretty);
  for (const { type, parameters } of mediaRanges(accept))
    for (const encoding of served) {
      if (!covers(type, mediaTypes[encoding]) || !isKnownStream(encoding, parameters)) continue;
      if ((parameters.get('sv') ?? 'v1') !== 'v1') continue;
      const form = formOf(parameters);
      if (form === undefined) continue;
      if (form.as === 'table' && !(hasTable && (encoding === 'json' || encoding === 'yaml'))) continue;
      if (form.as === 'object' && isCustom && encoding === 'protobuf') continue;
      return { encoding, ...form, pretty: pretty || parameters.get('pretty') === '1' };
    }
  throw notAcceptable(served);
}

/** The form of what has no table and no metadata of its own; undefined where the client accepts none that there is. */
export function negotiatePlain(
  accept: string | undefined,
  { pretty = false, served = withoutCbor }: NegotiationOptions = {},
): AnswerFormat | undefined {
  if (accept === undefined || accept === '' || accept === mediaTypes.json) return plainFormat(pretty);
  for (const { type, parameters } of mediaRanges(accept))
    for (const encoding of served) {
      if (!covers(type, mediaTypes[encoding]) || !isKnownStream(encoding, parameters)) continue;
      if (parameters.has('sv') || formOf(parameters)?.as !== 'object') continue;
      return { ...plainFormat(pretty || parameters.get('pretty') === '1'), encoding };
    }
  return undefined;
}

/** The form of a refusal: JSON in several lines where the client accepts none that there is. */
export function negotiateRefusal(accept: string | undefined, options: NegotiationOptions = {}): AnswerFormat {
  return negotiatePlain(accept, options) ?? plainFormat(true);
}

function plainFormat(pretty: boolean): AnswerFormat {
  return { encoding: 'json', as: 'object', metaVersion: 'v1', pretty };
}

/** @throws ApiError 406 where a watch cannot be told in what the client likes best. */
export function streamEncodingOf(
  { encoding }: AnswerFormat,
  served: readonly Encoding[] = withoutCbor,
): StreamEncoding {
  if (isStreamed(encoding)) return encoding;
  throw refusedTypes(streamTypesOf(served));
}

function isStreamed(encoding: Encoding): encoding is StreamEncoding {
  return encoding !== 'yaml';
}

/**
 * What upstream's router looks at before anything of the request: whether a built-in place has one of the media types
 * that are accepted, by their names alone.
 * @throws ApiError 406 in the router's words.
 */
export function checkProduced(accept: string | undefined, produced: readonly string[]): void {
  if (accept === undefined || accept === '' || accept === mediaTypes.json) return;
  for (const range of accept.split(',')) {
    const type = trimSpaces(range.split(';', 1)[0]!);
    if (type === '*/*' || produced.includes(type)) return;
  }
  const message = `406: Not Acceptable\n\nAvailable representations: ${produced.join(', ')}`;
  throw new RouterRefusal(406, 'NotAcceptable', message, {});
}

/** The media types of a place that answers with objects; of one that also tells of watches, those of streams, too. */
export function producedTypes(served: readonly Encoding[], { watches = false } = {}): readonly string[] {
  return watches ? [...namesOf(served), ...streamTypesOf(served)] : namesOf(served);
}

function streamTypesOf(served: readonly Encoding[]): readonly string[] {
  return served.filter(isStreamed).map((encoding) => streamTypes[encoding]);
}

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/**
 * Media ranges as upstream's library for them reads and sorts them: by quality, and a definite one before a wild one,
 * whatever their qualities.
 */
function mediaRanges(accept: string): readonly MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const text of accept.split(',')) {
    const range = mediaRange(text);
    if (range === undefined) continue;
    let at = ranges.length;
    while (at > 0 && isLiked(range, ranges[at - 1]!)) at--;
    ranges.splice(at, 0, range);
  }
  return ranges;
}

function mediaRange(text: string): MediaRange | undefined {
  const [name = '', ...rest] = text.split(';');
  const [type = '', subtype = '', ...more] = name.split('/').map(trimSpaces);
  if (more.length > 0 || (subtype === '' && type !== '*')) return undefined;
  const parameters = new Map<string, string>();
  let quality = 1;
  for (const parameter of rest) {
    const [key = '', value = '', ...others] = parameter.split('=').map(trimSpaces);
    if (value === '' || others.length > 0) continue;
    if (key === 'q') quality = Number(value) || 0;
    else parameters.set(key, value);
  }
  return { type: `${type}/${subtype || '*'}`, parameters, quality };
}

function isLiked(one: MediaRange, other: MediaRange): boolean {
  if (one.quality > other.quality) return true;
  if (!one.type.startsWith('*/') && other.type.startsWith('*/')) return true;
  return !one.type.endsWith('/*') && other.type.endsWith('/*');
}

function covers(range: string, mediaType: string): boolean {
  return range === mediaType || range === 'application/*' || range === '*/*';
}

function isKnownStream(encoding: Encoding, parameters: ReadonlyMap<string, string>): boolean {
  const stream = parameters.get('stream');
  return stream === undefined || (stream === 'watch' && isStreamed(encoding));
}

export function notAcceptable(served: readonly Encoding[]): ApiError {
  return refusedTypes(namesOf(served));
}

function refusedTypes(accepted: readonly string[]): ApiError {
  return new ApiError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

const forms: Readonly<Record<string, AnswerFormat['as']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata list',
};

function formOf(parameters: ReadonlyMap<string, string>): Pick<AnswerFormat, 'as' | 'metaVersion'> | undefined {
  const [as, group, version] = [parameters.get('as'), parameters.get('g'), parameters.get('v')];
  if (as === undefined && group === undefined && version === undefined) return { as: 'object', metaVersion: 'v1' };
  if (as === undefined || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined;
  return Object.hasOwn(forms, as) ? { as: forms[as]!, metaVersion: version } : undefined;
}

/** Spaces only, as upstream trims what it reads of these headers. */
function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, '');
}

function namesOf(encodings: readonly Encoding[]): readonly string[] {
  return encodings.map((encoding) => mediaTypes[encoding]);
}

/** The form of a request's body. @throws ApiError 415. */
export function bodyEncoding(contentType: string | undefined, served: readonly Encoding[]): Encoding {
  if (contentType === undefined || contentType === '' || contentType === mediaTypes.json) return 'json';
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim());
  const encoding = served.find((one) => mediaTypes[one] === type.toLowerCase());
  if (encoding !== undefined && parameters.every((one) => one === '' || /^[^=]+=./.test(one))) return encoding;
  throw unsupportedMediaType(namesOf(served));
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** What upstream's router says of a patch to a built-in kind. */
export function noPatchType(): ApiError {
  return new RouterRefusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}
