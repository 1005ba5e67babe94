/**
 * A short name for a value: the same for equal values, whatever the order of their fields, over restarts and
 * versions. Upstream hashes a dump of Go structures, which nothing outside of Go can reproduce; only the form
 * (letters and digits that spell no words) is the same. `collisionCount` gives another name to the same value.
 */
export function stableHash(value: unknown, collisionCount?: number): string {
  const text = canonicalJson(value) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  return safeName(fnv1a32(text).toString());
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Each character replaced by one that spells no words. */
function safeName(text: string): string {
  return Array.from(text, (character) => alphabet[character.charCodeAt(0) % alphabet.length]).join('');
}

/** The 32-bit FNV-1a hash of the text's UTF-8 bytes. */
function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** JSON with sorted keys, without fields that are absent, null or empty: what means the same reads the same. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => !isEmpty(field))
      .sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
  }
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'null');
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
