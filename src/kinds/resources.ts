import type { ObjectSchema } from '#machinery/schema.ts';
import table from './generated/resources.json' with { type: 'json' };
import { schemaNamed } from './schemas.ts';

export interface SubresourceRow {
  /** For example `status`, `scale`, `exec`. */
  readonly name: string;
  /** The kind that goes in and comes out, which may belong to another group (`autoscaling/v1 Scale`). */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** A resource that every server of this version offers, as discovery publishes it. */
export interface ResourceRow {
  readonly group: string;
  readonly version: string;
  /** Plural name in paths. */
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Name of the object's type, for example `apps.v1.Deployment`. */
  readonly object: string;
  /** Resolved on first use. */
  readonly schema: ObjectSchema;
  readonly subresources: readonly SubresourceRow[];
}

type JsonRow = Omit<ResourceRow, 'schema' | 'shortNames' | 'categories' | 'subresources'> &
  Partial<Pick<ResourceRow, 'shortNames' | 'categories' | 'subresources'>>;

/** All built-in resources in discovery order: groups by priority, preferred versions first. */
export const resourceRows: readonly ResourceRow[] = (table as readonly JsonRow[]).map((row) => ({
  ...row,
  shortNames: row.shortNames ?? [],
  categories: row.categories ?? [],
  subresources: row.subresources ?? [],
  get schema(): ObjectSchema {
    return schemaNamed(row.object);
  },
}));

let byKind: ReadonlyMap<string, ResourceRow> | undefined;

/** The type of a built-in kind's objects; `apiVersion` as in the object, `apps/v1`. */
export function schemaOfKind(apiVersion: string, kind: string): ObjectSchema | undefined {
  byKind ??= new Map(
    resourceRows.map((row) => [`${row.group === '' ? '' : `${row.group}/`}${row.version} ${row.kind}`, row]),
  );
  return byKind.get(`${apiVersion} ${kind}`)?.schema;
}
