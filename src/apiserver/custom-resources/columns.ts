import type { CustomResourceColumnDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import { compilePath, textOf } from '#machinery/jsonpath/evaluate.ts';
import type { ApiObject, Json } from '#machinery/meta.ts';
import { ageOf } from '#machinery/time.ts';
import type { TableColumn } from '../http/table.ts';

export interface Columns {
  readonly columns: readonly TableColumn[];
  readonly cells: (object: ApiObject, now: number) => readonly Cell[];
}

const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

const ageDescription =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

const ageOnly: readonly CustomResourceColumnDefinition[] = [
  { name: 'Age', type: 'date', description: ageDescription, jsonPath: '.metadata.creationTimestamp' },
];

/** What `kubectl get` prints of a custom kind: the name, then what its definition says, or the age. */
export function columnsOf(definitions: readonly CustomResourceColumnDefinition[] = ageOnly): Columns {
  const readers = definitions.map(readerOf);
  return {
    columns: [
      nameColumn,
      ...definitions.map(({ name, type, format = '', description, jsonPath, priority = 0 }) => ({
        name,
        type,
        format,
        description:
          description !== undefined && description !== ''
            ? description
            : `Custom resource definition column (in JSONPath format): ${jsonPath}`,
        priority,
      })),
    ],
    cells: (object, now) => [object.metadata.name ?? '', ...readers.map((read) => read(object, now))],
  };
}

function readerOf({ jsonPath, type }: CustomResourceColumnDefinition): (object: ApiObject, now: number) => Cell {
  let find: (data: Json) => readonly Json[];
  try {
    find = compilePath(jsonPath, { allowMissingKeys: true });
  } catch {
    return () => null;
  }
  return (object, now) => {
    try {
      // A cell has room for one value, wherever else the path may lead.
      const [value] = find(object as unknown as Json);
      if (value === undefined) return null;
      return type === 'string' ? textCell(value) : cellOf(type, value, now);
    } catch {
      return null;
    }
  };
}

function textCell(value: Json): Cell {
  return value === null ? null : textOf(value);
}

/** A value that is not of its column's type has no cell. */
function cellOf(type: string, value: Json, now: number): Cell {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? Number(value) : null;
    case 'number':
      return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : ageOf(value, now);
    default:
      return null;
  }
}
