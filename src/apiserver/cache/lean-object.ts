import type { ApiObject, ObjectMeta } from '#machinery/meta.ts';

/** Fields that are read anew when they are asked for, by name: one accessor serves all objects, so that all have one shape. */
const accessors = new Map<string, PropertyDescriptor>();

function accessorOf(name: string): PropertyDescriptor {
  let accessor = accessors.get(name);
  if (accessor === undefined) {
    accessor = {
      enumerable: true,
      configurable: true,
      get(this: Source) {
        return this.read(name);
      },
    };
    accessors.set(name, accessor);
  }
  return accessor;
}

/** Who has the whole object. */
interface Holder {
  readonly object: ApiObject;
}

abstract class Source {
  readonly #holder: Holder;

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  read(name: string): unknown {
    return (this.wholeOf(this.#holder.object) as Readonly<Record<string, unknown>>)[name];
  }

  /** What of the object this stands for. */
  protected abstract wholeOf(object: ApiObject): object;
}

class LeanMetadata extends Source {
  constructor(holder: Holder, { managedFields, annotations, ...rest }: ObjectMeta) {
    super(holder);
    Object.assign(this, rest);
    if (managedFields !== undefined) Object.defineProperty(this, 'managedFields', accessorOf('managedFields'));
    if (annotations === undefined) return;
    if (isLong(annotations)) Object.defineProperty(this, 'annotations', accessorOf('annotations'));
    else Object.assign(this, { annotations });
  }

  protected wholeOf({ metadata }: ApiObject): ObjectMeta {
    return metadata;
  }
}

/** Annotations of more characters than this are not held: configurations, for example, that were applied last. */
const maxAnnotationCharacters = 512;

function isLong(annotations: Readonly<Record<string, string>>): boolean {
  let characters = 0;
  for (const value of Object.values(annotations)) characters += value.length;
  return characters > maxAnnotationCharacters;
}

/**
 * An object of which only type and metadata are there, without the managed fields and long annotations; every other field
 * reads the whole object. To look at, to copy and to spread it is like any other.
 */
export class LeanObject extends Source {
  constructor(holder: Holder) {
    super(holder);
    const { kind, apiVersion, metadata, ...rest } = holder.object;
    Object.assign(this, { kind, apiVersion, metadata: new LeanMetadata(holder, metadata) });
    for (const name in rest) Object.defineProperty(this, name, accessorOf(name));
  }

  protected wholeOf(object: ApiObject): ApiObject {
    return object;
  }
}
