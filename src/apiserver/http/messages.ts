import { schemaNamed } from '#kinds/schemas.ts';
import { apiVersionOf, type JsonObject, type ListMeta } from '#machinery/meta.ts';
import { encodeEnvelope, encodeList, encodeMessage } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ServedResource } from '../resources/resource.ts';

/** Room for the protobuf form of objects that were asked for in it: what was made first goes first. */
const maxBytes = 64 * 2 ** 20;
/** What stays when there is no more room. */
const keptShare = 0.9;

/** Objects as protobuf messages without their envelope, made once for all who read or watch them. */
class Messages {
  readonly #known = new Map<StoredObject, Uint8Array>();
  #size = 0;

  of(value: StoredObject, schema: ObjectSchema): Uint8Array {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const message = encodeMessage(value.object as unknown as JsonObject, schema);
    this.#known.set(value, message);
    this.#size += message.length;
    if (this.#size > maxBytes) this.#makeRoom();
    return message;
  }

  #makeRoom(): void {
    // Many at once: looking for the first of a map steps over all that was deleted before it.
    for (const [value, message] of this.#known) {
      if (this.#size <= maxBytes * keptShare) return;
      this.#known.delete(value);
      this.#size -= message.length;
    }
  }
}

const messages = new Messages();

/** An object of a built-in kind with its envelope. */
export function protobufOf(value: StoredObject, { schema, kind }: ServedResource): Uint8Array {
  return encodeEnvelope(messages.of(value, schema), { apiVersion: apiVersionOf(kind), kind: kind.kind });
}

export function protobufListOf(
  items: readonly StoredObject[],
  {
    resource,
    listKind,
    metadata,
  }: { readonly resource: ServedResource; readonly listKind: string; readonly metadata: ListMeta },
): Uint8Array {
  return encodeList({
    apiVersion: apiVersionOf(resource.kind),
    kind: listKind,
    metadata: metadata as unknown as JsonObject,
    metadataSchema: schemaNamed('meta.v1.ListMeta'),
    items: items.map((item) => messages.of(item, resource.schema)),
  });
}
