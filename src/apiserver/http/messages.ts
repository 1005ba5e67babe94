import { schemaNamed } from '#kinds/schemas.ts';
import { apiVersionOf, type JsonObject, type ListMeta } from '#machinery/meta.ts';
import { encodeEnvelope, encodeList, encodeMessage, envelopeEnd } from '#machinery/protobuf.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { ServedResource } from '../resources/resource.ts';

/** Room for the protobuf form of objects that were asked for in it: what was made first goes first. */
const maxBytes = 64 * 2 ** 20;
/** What stays when there is no more room. */
const keptShare = 0.9;

/** An object as a protobuf message, in a list by itself and elsewhere in an envelope around the same bytes. */
interface Known {
  readonly message: Uint8Array;
  readonly enveloped: Uint8Array;
}

/** Objects as protobuf messages, made once for all who read or watch them. */
class Messages {
  readonly #known = new Map<StoredObject, Known>();
  #size = 0;

  of(value: StoredObject, { schema, kind }: ServedResource): Known {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const message = encodeMessage(value.object as unknown as JsonObject, schema);
    const made = inEnvelope(message, { apiVersion: apiVersionOf(kind), kind: kind.kind });
    this.#known.set(value, made);
    this.#size += made.enveloped.length;
    if (this.#size > maxBytes) this.#makeRoom();
    return made;
  }

  #makeRoom(): void {
    // Many at once: looking for the first of a map steps over all that was deleted before it.
    for (const [value, { enveloped }] of this.#known) {
      if (this.#size <= maxBytes * keptShare) return;
      this.#known.delete(value);
      this.#size -= enveloped.length;
    }
  }
}

const messages = new Messages();

/** An object of a built-in kind with its envelope. */
export function protobufOf(value: StoredObject, resource: ServedResource): Uint8Array {
  return messages.of(value, resource).enveloped;
}

function inEnvelope(message: Uint8Array, type: { readonly apiVersion: string; readonly kind: string }): Known {
  const enveloped = encodeEnvelope(message, type);
  const start = enveloped.length - envelopeEnd - message.length;
  return { message: enveloped.subarray(start, start + message.length), enveloped };
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
    items: items.map((item) => messages.of(item, resource).message),
  });
}
