import type { Random } from '#base/random.ts';
import type { FieldError } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';

/**
 * A light handle on a kind: enough to address it and, for the compiler, the type of its objects. Clients need no
 * more. Generated for built-in kinds in `generated/handles.ts`.
 */
export interface Kind<T extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural name in paths, for example `deployments`. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** Never set: carries the type of the objects. */
  readonly objectType?: T;
}

/** What validation may look at besides the object. */
export interface RuleContext {
  readonly random: Random;
  /** Wall-clock milliseconds. */
  readonly now: number;
  /** Adds a line to the `Warning` headers, whatever comes of the request; absent where nobody reads them. */
  readonly warn?: ((text: string) => void) | undefined;
  /** What is wrong with an expression that selects devices; absent where expressions cannot be compiled. */
  readonly checkSelector?: ((expression: string, path: string) => FieldError | undefined) | undefined;
  /** Whether an official feature gate is on. */
  featureEnabled(gate: string): boolean;
}

/** A cell of a table: what `kubectl get` prints. */
export type Cell = string | number | boolean | null;

/** What a kind means, written by hand beside its structure. Every member is optional: absent means "nothing special". */
export interface KindRules<T extends ApiObject = ApiObject> {
  /**
   * Fills in what the client left out. Called on create, update, patch and on reads of older objects. Where nothing is
   * left out it writes nothing: a status comes beside what the stored object holds, which others read.
   */
  readonly defaults?: (object: Mutable<T>) => void;
  /** Resets what a create may not set, and sets what the server decides. Status is already removed. */
  readonly prepareForCreate?: (object: Mutable<T>, context: RuleContext) => void;
  /** Fills in what follows from the server's own additions, when a new object has been found good. */
  readonly prepareForStorage?: (object: Mutable<T>) => void;
  /** Resets what an update may not change. Status and metadata.generation are handled by the registry. */
  readonly prepareForUpdate?: (object: Mutable<T>, old: T, context: RuleContext) => void;
  readonly prepareForStatusUpdate?: (object: Mutable<T>, old: T, context: RuleContext) => void;
  /** Everything wrong with a new object; metadata has been checked already. */
  readonly validate?: (object: T, context: RuleContext) => readonly FieldError[];
  /** What else is wrong with an object, only because it is new; comes after `validate`. */
  readonly validateNew?: (object: T, context: RuleContext) => readonly FieldError[];
  /** Everything wrong with a change; `validate` is run as well unless `validateUpdateOnly`. */
  readonly validateUpdate?: (object: T, old: T, context: RuleContext) => readonly FieldError[];
  /** When set, an update runs `validateUpdate` without `validate`. */
  readonly validateUpdateOnly?: boolean;
  readonly validateStatusUpdate?: (object: T, old: T, context: RuleContext) => readonly FieldError[];
  /** Lines for the `Warning` header. */
  readonly warnings?: (object: T, old: T | undefined) => readonly string[];
  /** The same for writes of the status alone. */
  readonly statusWarnings?: (object: T) => readonly string[];
  /** How the name is checked; the default is a DNS-1123 subdomain. */
  readonly nameRule?: 'subdomain' | 'label' | 'rfc1035Label' | 'pathSegment' | 'ip';
  /** A name is never made up: `generateName` is taken for it as it is. */
  readonly keepsGenerateName?: boolean;
  /** What is wrong with a name, or with the prefix of a generated one, where the rule depends on the object. */
  readonly nameProblems?: (name: string, object: T, isPrefix: boolean) => string[];
  /** Finalizers are standard ones or fully qualified, unless any name does. */
  readonly finalizerRule?: 'any' | undefined;
  /** Field selectors besides `metadata.name` and `metadata.namespace`, as functions of the object. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** Cells of `kubectl get`, in the order of the kind's columns in `generated/columns.json`. `now` in ms. */
  readonly cells?: (object: T, now: number) => readonly Cell[];
  /** An annotation that stands for a field of upstream's own type: it is not among the metadata alone. */
  readonly fieldAnnotation?: string;
  /** The order of a table's rows, where it is not that of names. */
  readonly compareRows?: (left: T, right: T) => number;
  /** Beginning its deletion is noted without a grace period and counts as no change of intent. */
  readonly endsQuietly?: boolean;
  /** The kind has a status that only its subresource may write; default: there is a `status` subresource. */
  readonly separateStatus?: boolean;
  /** A create may bring a status along, as a node that registers itself does. */
  readonly keepsStatusOnCreate?: boolean;
  /** `metadata.generation` counts changes outside metadata and status. Default: true when status is separate. */
  readonly hasGeneration?: boolean;
  /** Fields that `prepareForUpdate` takes away count as changes all the same. */
  readonly countsDropped?: boolean;
  /** Changes of these count as well. */
  readonly countedMetadata?: 'labels' | 'annotations';
  /** So does an empty list or map where there was none: upstream compares the values in memory, where these differ. */
  readonly emptyCounts?: boolean;
  /** Of the things sent empty, or in a form that says nothing, only the fields of this name count. */
  readonly emptyFieldCounts?: string;
  /** There is JSON in its objects, where an empty list is something. */
  readonly holdsJson?: boolean;
  /** PUT on an absent name creates (leases, endpoints, …). */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without a resourceVersion overwrites. Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Deleting waits: the grace period in seconds for this object and request, or undefined to delete at once. */
  readonly gracePeriodSeconds?: (object: T, requested: number | undefined) => number | undefined;
  /** Whether something besides metadata.finalizers keeps an object that is being deleted. */
  readonly keepsFromDeletion?: (object: T) => boolean;
  /** Notes in the object that its deletion has begun; `now` in ms. */
  readonly beginDeletion?: (object: Mutable<T>, now: number) => void;
  /** A finalizer that every deletion starts with. */
  readonly deletionFinalizer?: string;
  /** A line for the `Warning` header of a deletion. */
  readonly deletionWarning?: (asked: {
    readonly propagationPolicy?: string;
    readonly orphanDependents?: boolean;
  }) => string | undefined;
  /** The propagation policy when the client names none. Default: background. */
  readonly defaultPropagation?: 'Background' | 'Orphan';
}
