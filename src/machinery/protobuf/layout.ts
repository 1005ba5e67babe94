import type { Field, ObjectSchema } from '../schema.ts';

/** A message as it stands on the wire: its entries in ascending order of their numbers. */
export interface Layout {
  readonly entries: readonly Entry[];
  readonly byNumber: ReadonlyMap<number, Entry>;
}

/** A field, or a message that JSON does not show: its fields stand in the object around it. */
export type Entry =
  | { readonly number: number; readonly field: Field; readonly embedded: undefined }
  | { readonly number: number; readonly field: undefined; readonly embedded: Layout };

const layouts = new WeakMap<ObjectSchema, Layout>();

export function layoutOf(schema: ObjectSchema): Layout {
  let layout = layouts.get(schema);
  if (layout === undefined) {
    layout = build(
      [...schema.fields.values()].filter(({ number }) => number > 0),
      0,
    );
    layouts.set(schema, layout);
  }
  return layout;
}

function build(fields: readonly Field[], depth: number): Layout {
  const entries: Entry[] = [];
  const embedded = new Map<number, Field[]>();
  for (const field of fields) {
    const around = field.around[depth];
    if (around === undefined) {
      // Then what an object has by this name is its own.
      if (field.name in Object.prototype) throw new Error(`a field cannot be called ${field.name}`);
      entries.push({ number: field.number, field, embedded: undefined });
      continue;
    }
    const group = embedded.get(around);
    if (group === undefined) embedded.set(around, [field]);
    else group.push(field);
  }
  for (const [number, group] of embedded) entries.push({ number, field: undefined, embedded: build(group, depth + 1) });
  entries.sort((left, right) => left.number - right.number);
  return { entries, byNumber: new Map(entries.map((entry) => [entry.number, entry])) };
}
