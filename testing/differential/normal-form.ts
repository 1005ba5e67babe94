import type { Json, JsonObject } from '#machinery/meta.ts';
import type { Answer } from './exchange.ts';

/** An answer without what differs from run to run. */
export interface NormalAnswer {
  readonly status: number;
  readonly warnings: readonly string[];
  /** Absent from answers that were recorded before they were compared. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly endsLine?: boolean;
  readonly body: Json | string;
}

/** Members whose values are each server's own choice, and what stands for them. */
const ownChoice: Readonly<Record<string, string>> = {
  uid: 'UID',
  resourceVersion: 'RV',
  creationTimestamp: 'TIME',
  time: 'TIME',
  serverAddress: 'HOST AND PORT',
  deletionTimestamp: 'TIME',
  lastTransitionTime: 'TIME',
  // Says where the list is to go on, at which revision.
  continue: 'TOKEN',
};

const hash = /X509SHA256=[0-9a-f]{64}/g;

/**
 * @param generateName the prefix of a name that the server made up.
 */
export function normalForm(answer: Answer, generateName = ''): NormalAnswer {
  const { status, warnings, headers, contentType, endsLine } = answer;
  // A hash may end as a made-up name does.
  const known = answer.body.replace(hash, 'X509SHA256=HASH');
  const body = generateName === '' ? known : known.replaceAll(generatedName(generateName), `${generateName}RANDOM`);
  if (!contentType.includes('json') || body === '')
    return { status, warnings, headers, endsLine, body: withoutOwnChoice(body).slice(0, 2000) };
  return { status, warnings, headers, endsLine, body: normal(valueIn(body), '') };
}

/** Text, such as YAML, without what differs from run to run. */
function withoutOwnChoice(text: string): string {
  return text
    .replace(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
    .replace(/(resourceVersion: )"\d+"/g, '$1RV');
}

/** One value, or the events of a watch, without the bookmarks that a server sends in its own time. */
function valueIn(body: string): Json {
  if (!body.startsWith('{"type":"')) return JSON.parse(body) as Json;
  const lines = body.trimEnd().split('\n');
  return lines.filter((line) => !isPassingBookmark(line)).map((line) => JSON.parse(line) as Json);
}

function isPassingBookmark(line: string): boolean {
  return line.startsWith('{"type":"BOOKMARK"') && !line.includes('k8s.io/initial-events-end');
}

/** The prefix, perhaps cut, with five letters and digits as the server picks them. */
function generatedName(prefix: string): RegExp {
  const text = JSON.stringify(prefix.slice(0, 58)).slice(1, -1);
  return new RegExp(`${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])`, 'g');
}

/** Events that the official server's own repair of addresses makes while it runs. */
function isOwnEvent(item: Json): boolean {
  return JSON.stringify(item).includes('ipallocator-repair-controller');
}

/** Services' addresses are each server's choice, and so is the order of a list of them. */
function isAddress(item: Json): boolean {
  if (typeof item !== 'object' || item === null) return false;
  const { object } = item as { readonly object?: Json };
  const { metadata } = (object ?? item) as { readonly metadata?: { readonly name?: string } };
  return /^10\.9[67]\.\d+\.\d+$/.test(metadata?.name ?? '');
}

function normal(value: Json, key: string): Json {
  if (typeof value === 'string') {
    if (value !== '' && Object.hasOwn(ownChoice, key)) return ownChoice[key]!;
    return plainText(value);
  }
  // The order in which rules are found is nobody's promise.
  if (Array.isArray(value) && /^(non)?[rR]esourceRules$/.test(key) && key !== '')
    return value
      .map((item) => normal(item, ''))
      .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  if (Array.isArray(value) && (key === 'items' || key === 'rows') && value.every(isAddress))
    return value
      .map((item) => normal(item, ''))
      .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  if (Array.isArray(value))
    return (key === 'causes' ? byManager(value) : value)
      .filter((item) => (key !== 'items' && key !== 'rows') || !isOwnEvent(item))
      .map((item) => normal(item, key === 'columnDefinitions' ? key : ''));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(
    members.map(([name, member]) => {
      // Columns are described in words of our own.
      if (key === 'columnDefinitions' && name === 'description') return [name, 'WORDS'];
      // A dry run counts on from where the official server's range ends.
      if (
        /^(nodePort|healthCheckNodePort)$/.test(name) &&
        typeof member === 'number' &&
        member >= 30_000 &&
        member < 32_800
      )
        return [name, 'NODE PORT'];
      if (name === 'targetPort' && typeof member === 'number' && isServerPort(member)) return [name, 'SERVER PORT'];
      return [name, normal(member!, name)];
    }),
  );
}

/** Where one of the two servers listens: the Service `kubernetes` points there. */
function isServerPort(port: number): boolean {
  return port === 6443 || (port >= 32_768 && port < 61_000);
}

/** The managers that an apply is in conflict with come in the order of a Go map; the fields of each in their own. */
function byManager(causes: readonly Json[]): readonly Json[] {
  const manager = (cause: Json): string => {
    const { reason, message = '' } = cause as { readonly reason?: string; readonly message?: string };
    return reason === 'FieldManagerConflict' ? message : '';
  };
  return [...causes].sort((left, right) =>
    manager(left) < manager(right) ? -1 : manager(left) > manager(right) ? 1 : 0,
  );
}

/** Texts with something random in them. */
function plainText(text: string): string {
  return (
    text
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
      .replace(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/, 'TOKEN')
      .replace(/^10\.9[67]\.\d+\.\d+$/, 'CLUSTER IP')
      .replace(/"10\.96\.\d+\.\d+"(?=: expected an IPv6 value)/g, '"CLUSTER IP"')
      .replace(/^\d+[smh](\d+[smh])?$/, 'AGE')
      // Ports on nodes that the server chose, where two of a service's are one.
      .replace(/(?<=^Duplicate value: |nodePort: Duplicate value: )3[0-2]\d{3}\b/g, 'NODE PORT')
      .replace(/(continue key is not valid: ).*/, '$1WHY')
      .replace(/(too old resource version: )\d+ \(\d+\)/, '$1RV (RV)')
      .replace(/(ResourceVersion in (?:record \(|object meta: ))\d+/g, '$1RV')
      .replace(/(Too large resource version: \d+, current: )\d+/g, '$1RV')
      .replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-XXXXX')
      // The patched document that does not fit its type is quoted whole, its members in an order of their own.
      .replace(/(^|patch: )(Invalid value: )"(?:map\[.*\]|\{.*\})": /s, '$1$2DOCUMENT: ')
      .replace(/\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^"\s,]*/g, 'TIME')
  );
}

/** What answers that were recorded long ago do not have. */
const comparedLater = ['headers', 'endsLine'];

/** Paths at which two normal forms differ, with both values; nothing when they are the same. */
export function differences(official: unknown, ours: unknown, path = ''): readonly string[] {
  if (official === ours) return [];
  if (isPlain(official) && isPlain(ours)) {
    const keys = new Set([...Object.keys(official), ...Object.keys(ours)]);
    if (path === '') for (const key of comparedLater) if (official[key] === undefined) keys.delete(key);
    return [...keys].flatMap((key) => differences(official[key], ours[key], `${path}.${key}`));
  }
  if (Array.isArray(official) && Array.isArray(ours)) {
    if (official.length === ours.length)
      return official.flatMap((item, index) => differences(item, ours[index], `${path}[${index}]`));
    return [`${path}: only official ${show(notIn(ours, official))}, only ours ${show(notIn(official, ours))}`];
  }
  const [left, right] = [asText(official), asText(ours)];
  const from = Math.max(0, firstDifference(left, right) - shownBefore);
  return [`${path}: official ${cut(left, from)}, ours ${cut(right, from)}`];
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of long texts, the part is shown in which they differ: so much before it, and so much in all. */
const shownBefore = 100;
const shownLength = 500;

function firstDifference(left: string, right: string): number {
  let index = 0;
  while (index < left.length && left[index] === right[index]) index++;
  return index;
}

/** What is only in the second list, each as often as it is not in the first. */
function notIn(first: readonly unknown[], second: readonly unknown[]): readonly unknown[] {
  const left = first.map((item) => JSON.stringify(item));
  return second.filter((item) => {
    const at = left.indexOf(JSON.stringify(item));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function asText(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function cut(text: string, from: number): string {
  return `${from > 0 ? '…' : ''}${text.slice(from, from + shownLength)}${text.length > from + shownLength ? '…' : ''}`;
}

function show(value: unknown): string {
  return cut(asText(value), 0);
}

/** Entries of owners in an order that does not depend on the second in which each was written. */
export function timeless(answer: NormalAnswer): NormalAnswer {
  const { metadata } = (answer.body ?? {}) as { readonly metadata?: { readonly managedFields?: readonly Json[] } };
  if (metadata?.managedFields === undefined) return answer;
  const text = (entry: Json): string => JSON.stringify(entry);
  const managedFields = [...metadata.managedFields].sort((left, right) => (text(left) < text(right) ? -1 : 1));
  return { ...answer, body: { ...(answer.body as JsonObject), metadata: { ...metadata, managedFields } } as Json };
}
