import type { Json, JsonObject } from '#machinery/meta.ts';
import { endedAnswer } from './enduring.ts';
import { differences, type NormalAnswer, timeless } from './normal-form.ts';

/** Why two answers differ though neither server is wrong. */
export type Explanation =
  /** Go walks maps in a random order: the official server, asked again, gives the same causes in another order. */
  | 'order of a map'
  /** What is quoted was `{}` or `[]` in the request: it is kept, and so shown, as absent. */
  | 'empty is absent'
  /** Upstream's controller manager writes it, which does not run here; our API server does that work itself. */
  | 'a controller’s work'
  /** The official server's repair of addresses makes events, so that a page of events ends elsewhere. */
  | 'the server’s own events'
  /** We serve the versions of groups that upstream turns on only by a flag, and so have APIServices for them. */
  | 'preview versions'
  /** Whether the level of a flow schema exists is noted in its status by the server itself, some time after a write. */
  | 'written meanwhile'
  /** Owners are sorted by the second in which they wrote, and the two servers were asked in other seconds. */
  | 'second of a write'
  /** The request ends the official server's process, so that nobody has an answer; ours refuses it. */
  | 'the official server ended';

/** How often the official server is asked again, to see whether its order changes: that of a map of two does once in eight. */
const maxAsked = 80;

/** The reason of a difference, if it is one of those known; `again` asks the official server once more. */
export async function explain(
  official: NormalAnswer,
  ours: NormalAnswer,
  again: () => Promise<NormalAnswer>,
): Promise<Explanation | undefined> {
  if (isEnded(official)) return isRefusal(ours) ? 'the official server ended' : undefined;
  for (const [reason, form] of likenesses) if (same(form(official), form(ours))) return reason;
  if (isPage(official) && same(withoutPage(official), withoutPage(ours))) return 'the server’s own events';
  if (tellsSomeOfSeveral(official) && (await isAmong(ours, again))) return 'order of a map';
  if (!same(inOneOrder(withoutEmpty(official)), inOneOrder(withoutEmpty(ours)))) return undefined;
  for (let asked = 0; asked < maxAsked; asked++) {
    const other = await again();
    if (!same(official, other)) return 'order of a map';
  }
  return undefined;
}

function isEnded({ status }: NormalAnswer): boolean {
  return status === endedAnswer.status;
}

function isRefusal({ status, body }: NormalAnswer): boolean {
  return status >= 400 && status < 500 && isObject(body) && body['kind'] === 'Status';
}

/** What two answers are alike in, when the reason holds. */
const likenesses: readonly (readonly [Explanation, (answer: NormalAnswer) => NormalAnswer])[] = [
  ['a controller’s work', withoutControllers],
  ['empty is absent', withoutEmpty],
  ['preview versions', withoutPreviews],
  ['second of a write', timeless],
  ['written meanwhile', withoutDangling],
];

function isPage({ body }: NormalAnswer): boolean {
  return isObject(body) && isObject(body['metadata']) && body['metadata']['continue'] !== undefined;
}

/** A page of events, with what it holds and where it ends left out; only the official list can be longer than it. */
function withoutPage(answer: NormalAnswer): NormalAnswer {
  const { body } = answer;
  if (!isObject(body)) return answer;
  const columns = (body['columnDefinitions'] ?? []) as readonly JsonObject[];
  const isOfEvents = body['kind'] === 'EventList' || columns.some(({ name }) => name === 'Last Seen');
  if (!isOfEvents) return answer;
  const { items, rows, metadata, ...rest } = body as JsonObject & { readonly items?: Json; readonly rows?: Json };
  const { continue: _, remainingItemCount: __, ...others } = metadata as JsonObject & Record<string, Json>;
  return { ...answer, body: { ...rest, metadata: others } as Json };
}

const flowSchemaConsumer = 'api-priority-and-fairness-config-consumer-v1';

/** Without what the server notes in flow schemas. */
function withoutDangling(answer: NormalAnswer): NormalAnswer {
  return { ...answer, body: withoutDanglingIn(answer.body) as Json };
}

function withoutDanglingIn(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutDanglingIn);
  if (!isObject(value)) return value;
  const { status, managedFields } = value as { status?: Json; managedFields?: readonly Json[] };
  const conditions = isObject(status) ? (status['conditions'] as readonly JsonObject[] | undefined) : undefined;
  const isNote = conditions?.every(({ type }) => type === 'Dangling') === true && conditions.length > 0;
  // In histories these are texts.
  const owners = managedFields?.filter((owner) => !JSON.stringify(owner).includes(flowSchemaConsumer));
  const kept = Object.entries(value).filter(
    ([key]) => key !== 'managedFields' && !(key === 'status' && (isNote || isNothing(status))),
  );
  const members = kept.map(([key, member]) => [key, withoutDanglingIn(member!)]);
  return {
    ...Object.fromEntries(members),
    ...(owners === undefined || owners.length === 0 ? {} : { managedFields: owners }),
  } as Json;
}

function isNothing(status: Json | undefined): boolean {
  return isObject(status) && Object.keys(status).length === 0;
}

/** A list of APIServices without those of alpha and beta versions, and without the count of what a page leaves out. */
function withoutPreviews(answer: NormalAnswer): NormalAnswer {
  if (!isObject(answer.body)) return answer;
  const { items, rows, metadata, ...rest } = answer.body as JsonObject & Record<'items' | 'rows', Listed | undefined>;
  const listed = items ?? rows;
  if (!listed?.some((one) => isManagedService(one))) return answer;
  const { remainingItemCount: _, ...others } = (metadata ?? {}) as JsonObject;
  const kept = listed.filter((one) => !(isManagedService(one) && /^v\d+(alpha|beta)\d+\./.test(nameOf(one))));
  return { ...answer, body: { ...rest, metadata: others, listed: kept } as Json };
}

type Listed = readonly JsonObject[];

function metadataOf(listed: JsonObject): JsonObject {
  return ((listed['object'] as JsonObject | undefined) ?? listed)['metadata'] as JsonObject;
}

function nameOf(listed: JsonObject): string {
  return metadataOf(listed)['name'] as string;
}

function isManagedService(listed: JsonObject): boolean {
  const labels = metadataOf(listed)?.['labels'];
  return isObject(labels) && labels['kube-aggregator.kubernetes.io/automanaged'] === 'onstart';
}

/** What does not fit is told of as far as the official server came, from member to member. */
function tellsSomeOfSeveral({ body }: NormalAnswer): boolean {
  const message = isObject(body) ? body['message'] : undefined;
  const some = /^failed to (create typed patch|convert new) object|error decoding from json: illegal base64 data/;
  return typeof message === 'string' && some.test(message);
}

/** Whether the official server also gives this answer when it is asked again and again. */
async function isAmong(ours: NormalAnswer, again: () => Promise<NormalAnswer>): Promise<boolean> {
  for (let asked = 0; asked < maxAsked; asked++) if (same(await again(), ours)) return true;
  return false;
}

function same(left: NormalAnswer, right: NormalAnswer): boolean {
  return differences(left, right).length === 0;
}

/** The answer with its causes sorted, and without the message, which repeats them. */
function inOneOrder(answer: NormalAnswer): NormalAnswer {
  const { body } = answer;
  if (!isObject(body) || body['kind'] !== 'Status') return answer;
  const { message: _, details, ...rest } = body;
  const causes = (details as { readonly causes?: readonly JsonObject[] } | undefined)?.causes ?? [];
  const sorted = causes
    .map(withSortedChoices)
    .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  return { ...answer, body: { ...rest, details: { ...(details as JsonObject), causes: sorted } } as Json };
}

/** The cause with the values that it offers in one order. */
function withSortedChoices(cause: JsonObject): JsonObject {
  const [told, choices] = String(cause['message']).split(': supported values: ');
  return choices === undefined ? cause : { ...cause, message: `${told}: ${choices.split(', ').sort().join(', ')}` };
}

function withoutEmpty(answer: NormalAnswer): NormalAnswer {
  return { ...answer, body: withoutEmptyIn(answer.body) as Json };
}

/** Inside what messages quote, `{}` and `[]` are null. */
function withoutEmptyIn(value: Json): Json {
  if (typeof value === 'string') {
    const quoted = /(?:Invalid|Unsupported|Duplicate) value: (?=[[{])|\n@@ /.test(value);
    return quoted ? value.replace(/(?<=[:,[ ])(?:\{\}|\[\])(?=[:,}\]]|$)/gm, 'null') : value;
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutEmptyIn);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutEmptyIn(member!)])) as Json;
}

/** Without what the status controller of admission policies adds to them. */
function withoutControllers(answer: NormalAnswer): NormalAnswer {
  return { ...answer, body: without(answer.body) as Json };
}

function without(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(without);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, without(member!)] as const);
  const object = Object.fromEntries(members) as JsonObject;
  return 'status' in object || 'managedFields' in object ? withoutPolicyStatus(object) : object;
}

function withoutPolicyStatus(object: JsonObject): JsonObject {
  const { status, managedFields, ...rest } = object as { status?: Json; managedFields?: readonly JsonObject[] };
  const entries = managedFields?.filter(({ manager }) => manager !== 'validatingadmissionpolicy-status-controller');
  return {
    ...rest,
    ...(status === undefined ? {} : { status: withoutTypeChecking(status) }),
    ...(entries === undefined || entries.length === 0 ? {} : { managedFields: entries }),
  } as JsonObject;
}

/** Only these policies have a type checking, and observe their generation with it. */
function withoutTypeChecking(status: Json): Json {
  if (!isObject(status) || !('typeChecking' in status)) return status;
  const { typeChecking: _, observedGeneration: __, ...rest } = status as JsonObject & { observedGeneration?: Json };
  return rest as Json;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
