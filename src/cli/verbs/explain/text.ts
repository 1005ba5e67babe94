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
  const own = field.description ?? '';
  const shared = resolved(field, schemas).description ?? holder.description ?? '';
  const texts = [...new Set([own, shared].filter((text) => text !== ''))];
  const about =
    texts.length === 0 ? `${indentation}<empty>\n` : texts.map((text) => `${wrapped(text)}\n${indentation}\n`).join('');
  if (holder.properties === undefined) return `DESCRIPTION:\n${about}\n`;
  return `DESCRIPTION:\n${about}${withFields ? `FIELDS:\n${fieldList(holder, schemas)}\n` : ''}`;
}

function fieldList(holder: FieldSchema, schemas: Schemas): string {
  return namesOf(holder)
    .map((name) => {
      const schema = holder.properties![name]!;
      const values = resolved(schema, schemas).enum ?? [];
      const list = values.length === 0 ? '' : `  enum: ${values.map(String).join(', ')}\n`;
      const text = schema.description ?? resolved(schema, schemas).description ?? '';
      return `  ${line(name, holder, schemas)}\n${list}${text === '' ? `${indentation}<no description>` : wrapped(text)}\n\n`;
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
      return `${'  '.repeat(level)}${line(name, holder, schemas)}\n${below}`;
    })
    .join('');
}

const namesOf = ({ properties = {} }: FieldSchema): readonly string[] => Object.keys(properties).sort();

function line(name: string, { properties, required = [] }: FieldSchema, schemas: Schemas): string {
  return `${name}\t<${typeName(properties![name]!, schemas)}>${required.includes(name) ? ' -required-' : ''}`;
}

/** Lines of whole words; what stood on lines of their own stays so. */
function wrapped(text: string): string {
  const limit = textWidth - indentation.length;
  return text
    .trim()
    .split('\n')
    .flatMap((paragraph) => {
      const lines: string[] = [];
      let current = '';
      for (const word of paragraph.split(' ')) {
        if (current !== '' && current.length + 1 + word.length > limit) {
          lines.push(current);
          current = word;
        } else current = current === '' ? word : `${current} ${word}`;
      }
      return [...lines, current];
    })
    .map((each) => `${indentation}${each}`)
    .join('\n');
}
