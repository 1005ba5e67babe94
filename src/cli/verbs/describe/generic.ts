import type { Json, JsonObject } from '#machinery/meta.ts';
import { type DescribeOptions, describeEvents } from './related.ts';
import { type Described, head, type Sheet } from './sheet.ts';

/** Paths that the head has told already, or that nobody wants to read. */
const told = new Set([
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
  '.metadata.managedFields',
]);

/** Any object at all: its fields in order, with their names spelled out. */
export async function describeGeneric(sheet: Sheet, object: Described, options: DescribeOptions): Promise<void> {
  head(sheet, { namespace: '', ...object.metadata });
  content(sheet, object, 0, '');
  await describeEvents(sheet, options, { metadata: object.metadata });
}

function content(sheet: Sheet, object: JsonObject, level: number, path: string): void {
  for (const field of Object.keys(object).sort()) {
    const at = `${path}.${field}`;
    const value = object[field];
    if (told.has(at) || value === undefined) continue;
    const label = spelledOut(field);
    if (Array.isArray(value)) {
      sheet.line(level, `${label}:`);
      for (const item of value as readonly Json[]) {
        if (isObject(item)) content(sheet, item, level + 1, at);
        else sheet.line(level + 1, String(item));
      }
    } else if (isObject(value)) {
      sheet.line(level, `${label}:`);
      content(sheet, value, level + 1, at);
    } else sheet.field(label, value === null ? '<nil>' : (value as string), level);
  }
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const acronyms = new Set(['api', 'url', 'uid', 'osb', 'guid']);

/** `creationTimestamp` becomes Creation Timestamp, `uid` UID. */
function spelledOut(field: string): string {
  if (!/^[A-Za-z-]+$/.test(field)) return field;
  const words = field.match(/URLs$|[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|-+/g) ?? [field];
  return words
    .map((word) =>
      acronyms.has(word.toLowerCase()) ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1),
    )
    .join(' ');
}
