import { formatLabelSelector } from '#machinery/labels.ts';
import type { JsonObject, LabelSelector, ObjectMeta, OwnerReference } from '#machinery/meta.ts';

/** A description in the making: lines whose cells end with tabs. */
export class Sheet {
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** A line, indented by two spaces a level. */
  line(level: number, text: string): void {
    this.#text += `${'  '.repeat(level)}${text}\n`;
  }

  /** `Label:` and its value, which must be there. */
  field(label: string, value: string | number | boolean | bigint, level = 0): void {
    this.line(level, `${label}:\t${value}`);
  }

  /** `field`, left out when there is no value. */
  optional(label: string, value: string | number | boolean | undefined, level = 0): void {
    if (value !== undefined && value !== '') this.field(label, value, level);
  }

  raw(text: string): void {
    this.#text += text;
  }

  /** `key=value` lines below each other. */
  labels(label: string, labels: Readonly<Record<string, string>> | undefined, indent = ''): void {
    this.#several(label, pairs(labels, '='), indent);
  }

  list(label: string, values: readonly string[], indent = ''): void {
    this.#several(label, values, indent);
  }

  annotations(annotations: Readonly<Record<string, string>> | undefined, indent = ''): void {
    const { [lastApplied]: _, ...shown } = annotations ?? {};
    const lines = Object.keys(shown)
      .sort()
      .flatMap((key) => annotationLines(key, shown[key]!));
    this.#several('Annotations', lines, indent);
  }

  #several(label: string, values: readonly string[], indent: string): void {
    const [first = '<none>', ...rest] = values;
    this.raw(`${indent}${label}:\t${first}\n`);
    for (const value of rest) this.raw(`\t${value}\n`);
  }
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
/** Longer values of annotations stand on lines of their own. */
const maximumAnnotation = 140;

function annotationLines(key: string, value: string): readonly string[] {
  const text = value.replace(/\n$/, '');
  if (text.length < maximumAnnotation && !text.includes('\n')) return [`${key}: ${text}`];
  const shortened = (line: string): string =>
    line.length > maximumAnnotation - 2 ? `${line.slice(0, maximumAnnotation - 2)}...` : line;
  return [`${key}:`, ...text.split('\n').map((line) => `  ${shortened(line)}`)];
}

export function pairs(labels: Readonly<Record<string, string>> | undefined, between: string): readonly string[] {
  return Object.keys(labels ?? {})
    .sort()
    .map((key) => `${key}${between}${labels![key]}`);
}

/** `app=web,tier=front`, `<none>` for nothing. */
export function selectorText(labels: Readonly<Record<string, string>> | undefined): string {
  const text = pairs(labels, '=').join(',');
  return text === '' ? '<none>' : text;
}

export function labelSelectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return '<unset>';
  const text = formatLabelSelector(selector);
  return text === '' ? '<none>' : text;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A time that the server writes as null: Go's zero. */
const never = 'Mon, 01 Jan 0001 00:00:00 +0000';

/** `Sat, 21 Nov 2026 12:44:14 +0000`, in the time zone of the machine (RFC 1123). */
export function longTime(text: string | null): string {
  if (text === null) return never;
  const date = new Date(text);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = -date.getTimezoneOffset();
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  const day = `${weekdays[date.getDay()]}, ${two(date.getDate())} ${months[date.getMonth()]} ${date.getFullYear()}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

export function controllerOf(metadata: ObjectMeta): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** `Kind/name` of who controls the object, when somebody does. */
export function controlledBy(sheet: Sheet, metadata: ObjectMeta): void {
  const owner = controllerOf(metadata);
  if (owner !== undefined) sheet.field('Controlled By', `${owner.kind}/${owner.name}`);
}

/** Name, namespace, labels and annotations, with which most descriptions begin. */
export function head(sheet: Sheet, metadata: ObjectMeta): void {
  sheet.field('Name', metadata.name ?? '');
  if (metadata.namespace !== undefined) sheet.field('Namespace', metadata.namespace);
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
}

/** `cpu: 100m` lines below a title, sorted by name. */
export function quantities(
  sheet: Sheet,
  title: string,
  values: Readonly<Record<string, string>> | undefined,
  level: number,
): void {
  const names = Object.keys(values ?? {}).sort();
  if (names.length === 0) return;
  sheet.line(level, `${title}:`);
  for (const name of names) sheet.field(name, values![name]!, level + 1);
}

export interface Describable {
  readonly metadata: ObjectMeta;
}

export type Described = JsonObject & Describable;
