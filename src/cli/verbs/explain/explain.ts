import { apiVersionOf, parseApiVersion } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { NoResourceError, type ResourceInfo } from '../../discovery/mapper.ts';
import { CliError, ExitError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';
import { type FieldSchema, holderOf, type Schemas, schemasOf } from './schema.ts';
import { describeField, describeFields, fieldTree, header } from './text.ts';

const flags = {
  'api-version': textFlag('Use given api-version (group/version) of the resource.'),
  output: textFlagWith(
    'plaintext',
    'Format in which to render the schema. Valid values are: (plaintext, plaintext-openapiv2).',
    { short: 'o' },
  ),
  recursive: booleanFlag(
    'When true, print the name of all the fields recursively. Otherwise, print the available fields with their description.',
    { short: 'R' },
  ),
} as const;

export const explain = defineVerb({
  name: 'explain',
  summary: 'Get documentation for a resource',
  about:
    'Describe fields and structure of various resources.\n\n Fields are identified via a simple JSONPath identifier:\n\n  <type>.<fieldName>[.<fieldName>]\n\n Information about each field is retrieved from the server in OpenAPI format.',
  usage: 'TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]',
  flags,
  run,
});

async function run(context: CommandContext, given: FlagValues<typeof flags>, args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    throw new ExitError(
      1,
      `error: You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.`,
    );
  }
  if (args.length > 1) throw new CliError('We accept only this format: explain RESOURCE');
  if (!['', 'plaintext', 'plaintext-openapiv2'].includes(given.output)) {
    throw new CliError(`unrecognized format: ${given.output}`);
  }
  const { info, fields } = await target(context, args[0]!, given['api-version']).catch((error: unknown) => {
    // The official client prints this one without its usual prefix.
    throw error instanceof NoResourceError ? new ExitError(1, error.message) : error;
  });
  const path = info.group === '' ? `/openapi/v3/api/${info.version}` : `/openapi/v3/apis/${apiVersionOf(info)}`;
  const schemas = schemasOf(await context.request({ path }));
  const root = rootOf(schemas, info);
  if (root === undefined) {
    throw new CliError(`GVR (${apiVersionOf(info)}, Resource=${info.resource}) not found in OpenAPI schema`);
  }
  context.out(header(info));
  const field = follow(root, fields, schemas);
  if (fields.length > 0) context.out(describeField(fields.at(-1)!, field, schemas));
  const { schema, reference } = holderOf(field, schemas);
  context.out(describeFields(field, schema, schemas, { withFields: !given.recursive }));
  if (given.recursive && schema.properties !== undefined) {
    context.out(`FIELDS:\n${fieldTree(schema, schemas, 1, reference === undefined ? [] : [reference])}\n`);
  }
  return 0;
}

/** The resource, which itself may be written with dots, and the fields behind it. */
async function target(
  context: CommandContext,
  text: string,
  apiVersion: string | undefined,
): Promise<{ readonly info: ResourceInfo; readonly fields: readonly string[] }> {
  const mapper = await context.mapper();
  const parts = text.replace(/\.$/, '').split('.');
  for (let length = parts.length; length > 1; length--) {
    const whole = mapper.tryResource(parts.slice(0, length).join('.'));
    const isQualified =
      whole !== undefined && whole.group !== '' && parts.slice(1, length).join('.').endsWith(whole.group);
    if (isQualified) return { info: whole, fields: parts.slice(length) };
  }
  const [type = '', ...fields] = parts;
  const info = mapper.resource(type);
  if (apiVersion === undefined || apiVersion === '') return { info, fields };
  const { group, version } = parseApiVersion(apiVersion);
  const exact = mapper.all.find(
    (each) =>
      each.group === group && each.version === version && (each.resource === info.resource || each.kind === info.kind),
  );
  if (exact === undefined) throw new CliError(`couldn't find resource for "${apiVersion}, Resource=${info.resource}"`);
  return { info: exact, fields };
}

function rootOf(schemas: Schemas, { group, version, kind }: ResourceInfo): FieldSchema | undefined {
  return Object.values(schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      (each) => each.group === group && each.version === version && each.kind === kind,
    ),
  );
}

function follow(root: FieldSchema, fields: readonly string[], schemas: Schemas): FieldSchema {
  return fields.reduce<FieldSchema>((schema, name) => {
    const properties = holderOf(schema, schemas).schema.properties ?? {};
    const next = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (next === undefined) throw new CliError(`field "${name}" does not exist`);
    return next;
  }, root);
}
