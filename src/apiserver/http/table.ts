import columnsByResource from '#kinds/generated/columns.json' with { type: 'json' };
import type { Cell } from '#kinds/kind.ts';
import type { ApiObject, ListMeta } from '#machinery/meta.ts';
import { ageOf } from '#machinery/time.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { MetaVersion } from './negotiation.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: number;
}

/** What is to be known of a kind in order to show it. */
export type Shown = Pick<ServedResource, 'kind' | 'rules' | 'columns'>;

/** How much of each object comes along with its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

const known = columnsByResource as Readonly<Record<string, readonly TableColumn[]>>;

const plainColumns: readonly TableColumn[] = [
  { name: 'Name', type: 'string', format: 'name', priority: 0 },
  { name: 'Created At', type: 'date', format: '', priority: 0 },
];

/** What `kubectl get` prints for a resource (meta/v1 Table). */
export function tableOf(options: {
  readonly resource: Shown;
  readonly objects: readonly ApiObject[];
  readonly metadata: ListMeta;
  readonly include: IncludeObject;
  readonly now: number;
  readonly metaVersion: MetaVersion;
  /** Watches repeat the columns only in their first event. */
  readonly withColumns: boolean;
}): object {
  const { resource, metadata, now, metaVersion } = options;
  const { compareRows } = resource.rules;
  const objects = compareRows === undefined ? options.objects : options.objects.toSorted(compareRows);
  const columns = columnsOf(resource);
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata,
    columnDefinitions: options.withColumns
      ? columns.map(({ name, type, format, description = '', priority }) => ({
          name,
          type,
          format,
          description,
          priority,
        }))
      : null,
    rows:
      objects.length === 0
        ? noRows(columns)
        : objects.map((object) => ({
            cells: cellsOf(resource, columns, object, now),
            ...included(resource, object, options),
          })),
  };
}

/** Kinds that upstream has no printer for have no list of rows either. */
function noRows(columns: readonly TableColumn[]): null | readonly never[] {
  return columns.some(({ name }) => name === 'Created At') ? null : [];
}

function columnsOf({ kind, columns }: Shown): readonly TableColumn[] {
  if (columns !== undefined) return columns;
  const { group, version, resource } = kind;
  return known[`${group === '' ? '' : `${group}/`}${version}/${resource}`] ?? plainColumns;
}

function cellsOf({ rules }: Shown, columns: readonly TableColumn[], object: ApiObject, now: number): readonly Cell[] {
  const cells = rules.cells?.(object, now);
  if (cells !== undefined) return cells;
  return columns.map(({ name }) => {
    if (name === 'Name') return object.metadata.name ?? '';
    if (name === 'Created At') return object.metadata.creationTimestamp ?? null;
    return name === 'Age' ? ageOf(object.metadata.creationTimestamp, now) : '';
  });
}

function included(
  resource: Shown,
  object: ApiObject,
  { include, metaVersion }: { readonly include: IncludeObject; readonly metaVersion: MetaVersion },
): { readonly object: object | null } {
  switch (include) {
    case 'None':
      return { object: null };
    case 'Object':
      return { object };
    case 'Metadata':
      return { object: metadataOnly(object, resource, metaVersion) };
  }
}

/** An object without its content (meta/v1 PartialObjectMetadata). */
export function metadataOnly(
  { metadata }: ApiObject,
  { rules }: Pick<Shown, 'rules'>,
  version: MetaVersion,
): ApiObject {
  const shown = { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
  const { fieldAnnotation } = rules;
  if (fieldAnnotation === undefined || metadata.annotations?.[fieldAnnotation] === undefined) return shown;
  const { [fieldAnnotation]: _, ...annotations } = metadata.annotations;
  const { annotations: __, ...others } = metadata;
  return { ...shown, metadata: Object.keys(annotations).length === 0 ? others : { ...others, annotations } };
}
