import type { Schema } from '#machinery/schema.ts';
import { type DeclaredField, type DeclaredType, declared } from './declared-type.ts';
import { escapeProperty } from './escaping.ts';

/** Types refer to themselves (JSONSchemaProps); deeper than this, expressions do not see into them. */
const maxDepth = 24;

/** The type that expressions see of a built-in kind. Undefined: they cannot see the value. */
export function declaredTypeOfSchema(schema: Schema, depth = 0): DeclaredType | undefined {
  switch (schema.type) {
    case 'string':
    case 'quantity':
      return declared.string();
    case 'boolean':
      return declared.boolean;
    case 'int32':
    case 'int64':
      return declared.integer;
    case 'double':
      return declared.number;
    case 'bytes':
      return declared.bytes();
    case 'time':
    case 'microTime':
      return declared.dateTime;
    case 'intOrString':
      return declared.intOrString();
    case 'any':
      return declared.any;
    case 'list': {
      const element = inner(schema.items, depth);
      return element === undefined
        ? undefined
        : declared.list(element, undefined, { listType: schema.listType, listKeys: schema.keys });
    }
    case 'map': {
      const element = inner(schema.values, depth);
      return element === undefined ? undefined : declared.map(element);
    }
    case 'object': {
      const fields = new Map<string, DeclaredField>();
      for (const [property, field] of schema.fields) {
        const type = inner(field.schema, depth);
        const name = escapeProperty(property);
        if (type !== undefined && name !== undefined) fields.set(name, { property, declared: type });
      }
      return declared.object(fields);
    }
  }
}

const inner = (schema: Schema, depth: number): DeclaredType | undefined =>
  depth >= maxDepth ? undefined : declaredTypeOfSchema(schema, depth + 1);
