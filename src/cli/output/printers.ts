import { readFileSync } from 'node:fs';
import { stringifyJson } from '#machinery/json.ts';
import { compileJsonPath } from '#machinery/jsonpath/evaluate.ts';
import { type Json, type JsonObject, parseApiVersion } from '#machinery/meta.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import { objectLabel } from '../discovery/mapper.ts';
import { CliError } from '../failures.ts';
import { booleanFlag, type FlagValues, textFlag } from '../flags.ts';
import { printKyaml } from './kyaml.ts';

/** Flags of every command that can print objects. */
export const printFlags = {
  output: textFlag(
    'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).',
    { short: 'o' },
  ),
  template: textFlag('Template string or path to template file to use when -o=go-template, -o=go-template-file.'),
  'allow-missing-template-keys': booleanFlag(
    'If true, ignore any errors in templates when a field or map key is missing in the template. Only applies to golang and jsonpath output formats.',
    { initial: true },
  ),
  'show-managed-fields': booleanFlag('If true, keep the managedFields when printing objects in JSON or YAML format.'),
} as const;

export type PrintFlags = FlagValues<typeof printFlags>;

/** Text of one object (or a List); a printer remembers what it printed before. */
export type ObjectPrinter = (object: JsonObject) => string;

/** Formats of `-o` that need nothing but the object. */
const plainFormats =
  'json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file';

/**
 * The printer for `-o`; undefined without the flag. Throws CliError for a format nobody knows; `others` names formats
 * that the command itself takes (`wide`, `custom-columns`).
 */
export async function objectPrinter(flags: PrintFlags, others = ''): Promise<ObjectPrinter | undefined> {
  const { output, template } = flags;
  if ((output === undefined || output === '') && template === undefined) return undefined;
  const [format, argument] = splitOnce(output === undefined || output === '' ? 'go-template' : output);
  const options = { allowMissingKeys: flags['allow-missing-template-keys'] };
  switch (format) {
    case 'json':
      return (object) => `${printJson(managed(object, flags))}\n`;
    case 'yaml':
      return yamlPrinter(flags);
    case 'kyaml':
      return (object) => printKyaml(sorted(managed(object, flags)));
    case 'name':
      return namesOf;
    case 'jsonpath':
    case 'jsonpath-as-json':
    case 'jsonpath-file': {
      const given = argument ?? template;
      if (given === undefined || given === '') throw new CliError('template format specified but no template given');
      const path = format === 'jsonpath-file' ? readTemplate(given) : given;
      return compiled(path, () => compileJsonPath(path, { ...options, asJson: format === 'jsonpath-as-json' }));
    }
    case 'go-template':
    case 'template':
    case 'go-template-file':
    case 'templatefile': {
      const given = argument ?? template;
      if (given === undefined || given === '') throw new CliError('template format specified but no template given');
      const { compileGoTemplate } = await import('./go-template/template.ts');
      return compileGoTemplate(format.endsWith('file') ? readTemplate(given) : given, options);
    }
    default: {
      const allowed = [...(others === '' ? [] : others.split(', ')), ...plainFormats.split(', ')].sort();
      throw new CliError(
        `unable to match a printer suitable for the output format ${JSON.stringify(output)}, allowed formats are: ${allowed.join(',')}`,
      );
    }
  }
}

/** For objects that a command made itself, as the official client holds them in structs: its JSON is not sorted. */
export async function typedPrinter(flags: PrintFlags): Promise<ObjectPrinter | undefined> {
  if (flags.output !== 'json') return objectPrinter(flags);
  const { inStructOrder } = await import('./typed-json/typed-json.ts');
  return (object) => `${indentedJson(inStructOrder(managed(object, flags)))}\n`;
}

/**
 * For commands that change something: `-o` when given, else `deployment.apps/web created`. `suffix` is what stands
 * behind the operation, ` (server dry run)`.
 */
export async function resultPrinter(
  flags: PrintFlags,
  operation: string,
  suffix = '',
  printer: (flags: PrintFlags) => Promise<ObjectPrinter | undefined> = objectPrinter,
): Promise<ObjectPrinter> {
  return (await printer(flags)) ?? ((object) => `${labelOf(object)} ${operation}${suffix}\n`);
}

/** `deployment.apps/web`, from the object's own words. */
export function labelOf(object: JsonObject): string {
  const { apiVersion, kind, metadata } = object as { apiVersion?: string; kind?: string; metadata?: { name?: string } };
  return objectLabel({ group: parseApiVersion(apiVersion ?? '').group, kind: kind ?? '' }, metadata?.name ?? '');
}

function namesOf(object: JsonObject): string {
  const items = object['items'];
  if (Array.isArray(items)) return items.map((item) => namesOf(item as JsonObject)).join('');
  return `${labelOf(object)}\n`;
}

/** `name=rest` at the first `=`; formats such as `jsonpath={…}` may also stand without. */
function splitOnce(text: string): readonly [string, string | undefined] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

function readTemplate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new CliError(`error reading --template ${path}, open ${path}: no such file or directory`);
  }
}

function compiled(source: string, compile: () => (data: Json) => string): ObjectPrinter {
  let run: (data: Json) => string;
  try {
    run = compile();
  } catch (error) {
    throw new CliError(`error parsing jsonpath ${source}, ${(error as Error).message}`);
  }
  return (object) => {
    try {
      return run(object);
    } catch (error) {
      throw new CliError(
        `error executing jsonpath ${JSON.stringify(source)}: Error executing template: ${(error as Error).message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${source}\n\tobject given to jsonpath engine was:\n\t\t${stringifyJson(object)}\n\n`,
      );
    }
  };
}

function yamlPrinter(flags: PrintFlags): ObjectPrinter {
  let printed = 0;
  return (object) => `${printed++ > 0 ? '---\n' : ''}${dumpYaml(managed(object, flags))}`;
}

/** JSON as Go indents it: keys sorted, and what could end a script in a page escaped. */
export const printJson = (value: Json): string => indentedJson(sorted(value));

function indentedJson(value: Json): string {
  return stringifyJson(value, 4).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort()
      .map((key) => [key, sorted(object[key])]),
  );
}

function managed(object: JsonObject, flags: PrintFlags): JsonObject {
  return flags['show-managed-fields'] ? object : withoutManagedFields(object);
}

/** Who wrote which field is nothing that people want to read. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const items = object['items'];
  if (Array.isArray(items)) return { ...object, items: items.map((item) => withoutManagedFields(item as JsonObject)) };
  const metadata = object['metadata'] as JsonObject | undefined;
  if (metadata?.['managedFields'] === undefined) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}
