import type { ResourceInfo } from '../../discovery/mapper.ts';
import { type FieldSchema, holderOf, referenceOf, resolved, type Schemas, typeName } from './schema.ts';

/** Columns of text, with the indentation. */
const textWidth = 80;
const indentation = '    ';

export function header({ group, kind, version }: ResourceInfo): string {
  return `${group === '' ? '' : `GROUP:      ${group}\n`}KIND:       ${kind}\nVERSION:    ${version}\n\n`;
}

export function describeField(name: string, schema: FieldSchema, schemas: Schemas): string {
  const values = resolved(schema, schemas).enum ?? [];
  const list = values.map((value) => `${indentation}${String(value) === '' ? '""' : String(value)}\n`).join('');
  return `FIELD: ${name} <${typeName(schema, schemas)}>\n${values.length === 0 ? '' : `ENUM:\n${list}`}\n\n`;
}

/** The description, and with `withFields` what fields there are. */
export function describeFields(
  field: FieldSchema,
  holder: FieldSchema,
  schemas: Schemas,
  { withFields }: { readonly withFields: boolean },
): string {
  const about = `${wrapped(descriptions(field, schemas) || '<empty>')}\n`;
  if (holder.properties === undefined) return `DESCRIPTION:\n${about}\n`;
  return `DESCRIPTION:\n${about}${withFields ? `FIELDS:\n${fieldList(holder, schemas)}\n` : ''}`;
}

/** What is said of a field, then of its type, and of the type of its items or values. */
function descriptions(field: FieldSchema, schemas: Schemas): string {
  const name = field.$ref === undefined ? undefined : referenceOf(field);
  const {
    description,
    allOf = [],
    items,
    additionalProperties,
  } = name === undefined ? field : (schemas[name] ?? field);
  const below = [...allOf, items, typeof additionalProperties === 'object' ? additionalProperties : undefined];
  const own = description === undefined || description === '' ? '' : `${description}\n`;
  return own + below.map((schema) => (schema === undefined ? '' : descriptions(schema, schemas))).join('');
}

/** Values named where each field has one line. */
const fewValues = 4;

/** The words that a field may be, `""` for none. */
function enumLine(schema: FieldSchema, schemas: Schemas, indent: string): string {
  const values = (resolved(schema, schemas).enum ?? []).map((value) => (value === '' ? '""' : String(value)));
  if (values.length === 0) return '';
  const more = values.length > fewValues ? ', ....' : '';
  return `${indent}enum: ${values.slice(0, fewValues).join(', ')}${more}\n`;
}

function fieldList(holder: FieldSchema, schemas: Schemas): string {
  return namesOf(holder)
    .map((name) => {
      const schema = holder.properties![name]!;
      const list = enumLine(schema, schemas, '  ');
      const text = wrapped(schema.description || '<no description>');
      return `  ${line(name, holder, schemas)}\n${list}${text}\n\n`;
    })
    .join('');
}

/** Every field below, without descriptions; a type within itself is not followed again. */
export function fieldTree(holder: FieldSchema, schemas: Schemas, level: number, within: readonly string[]): string {
  return namesOf(holder)
    .map((name) => {
      const inner = holderOf(holder.properties![name]!, schemas);
      const reference = inner.reference ?? referenceOf(inner.schema);
      const isCycle = reference !== undefined && within.includes(reference);
      const below =
        isCycle || inner.schema.properties === undefined
          ? ''
          : fieldTree(inner.schema, schemas, level + 1, reference === undefined ? within : [...within, reference]);
      const indent = '  '.repeat(level);
      const values = enumLine(holder.properties![name]!, schemas, indent);
      return `${indent}${line(name, holder, schemas)}\n${values}${below}`;
    })
    .join('');
}

const namesOf = ({ properties = {} }: FieldSchema): readonly string[] => Object.keys(properties).sort();

function line(name: string, { properties, required = [] }: FieldSchema, schemas: Schemas): string {
  return `${name}\t<${typeName(properties![name]!, schemas)}>${required.includes(name) ? ' -required-' : ''}`;
}

/** Lines of whole words, with the spaces that stood between them; what stood on lines of their own stays so. */
function wrapped(text: string): string {
  const limit = textWidth - indentation.length;
  return text
    .split('\n')
    .flatMap((paragraph) => linesOf(paragraph, limit))
    .map((each) => `${indentation}${each}`)
    .join('\n');
}

function linesOf(paragraph: string, limit: number): readonly string[] {
  const lines = [''];
  for (const [, space = '', word = ''] of paragraph.matchAll(/(\s*)(\S*)/g)) {
    // A word that no line has room for is on a line of its own, and longer.
    const length = lines.at(-1)!.length + space.length + Math.min(word.length, limit - 1);
    if (length <= limit) lines.push(`${lines.pop()}${space}${word}`);
    else if (word !== '') lines.push(word);
  }
  return lines;
}
