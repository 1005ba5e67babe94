import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError, UsageError } from '../../failures.ts';
import { booleanFlag } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';
import {
  contentKey,
  entriesOf,
  fileFor,
  readConfigFile,
  type Section,
  withEntries,
  withEntry,
  writeConfigFile,
} from './files.ts';

/** A place in a kubeconfig: `contexts.mine.namespace`, where names may hold dots themselves. */
interface Place {
  readonly section: Section;
  readonly name: string;
  /** Absent: the whole entry. */
  readonly field: string | undefined;
}

const unparsable = (property: string): CliError => new CliError(`unable to parse ${property} after [] at api.Config`);

/** Fields whose values are truth values. */
const booleans = ['insecure-skip-tls-verify', 'disable-compression'];

function placeOf(property: string, config: JsonObject): Place {
  const [section = '', ...rest] = property.split('.');
  if (!Object.hasOwn(contentKey, section) || rest.length === 0) throw unparsable(property);
  const list = section as Section;
  const whole = rest.join('.');
  const known = entriesOf(config, list).map(({ name }) => name);
  const owner = known
    .filter((name) => whole === name || whole.startsWith(`${name}.`))
    .sort((a, b) => b.length - a.length)[0];
  if (owner !== undefined) return { section: list, name: owner, field: whole.slice(owner.length + 1) || undefined };
  return {
    section: list,
    name: rest.length === 1 ? whole : rest.slice(0, -1).join('.'),
    field: rest.length === 1 ? undefined : rest.at(-1),
  };
}

export const set = defineVerb({
  name: 'set',
  summary: 'Set an individual value in a kubeconfig file',
  usage: 'PROPERTY_NAME PROPERTY_VALUE',
  flags: {
    'set-raw-bytes': booleanFlag(
      'When writing a []byte PROPERTY_VALUE, write the given string directly without base64 decoding.',
    ),
  },
  run: async (context, flags, args) => {
    const [property = '', value = ''] = args;
    if (args.length !== 2) throw new UsageError(`Unexpected args: [${args.join(' ')}]`);
    const path = fileFor(context);
    const config = readConfigFile(path);
    if (property === 'current-context') writeConfigFile(path, { ...config, 'current-context': value });
    else {
      const { section, name, field } = placeOf(property, config);
      if (field === undefined) throw unparsable(property);
      const content = entriesOf(config, section).find((entry) => entry.name === name)?.content ?? {};
      const bytes = field.endsWith('-data') && flags['set-raw-bytes'] ? Buffer.from(value).toString('base64') : value;
      const typed: Json = booleans.includes(field) ? value === 'true' : bytes;
      writeConfigFile(path, withEntry(config, section, { name, content: { ...content, [field]: typed } }));
    }
    context.out(`Property "${property}" set.\n`);
    return 0;
  },
});

export const unset = defineVerb({
  name: 'unset',
  summary: 'Unset an individual value in a kubeconfig file',
  usage: 'PROPERTY_NAME',
  flags: {},
  run: async (context, _flags, args) => {
    const [property = ''] = args;
    if (args.length !== 1) throw new UsageError(`Unexpected args: [${args.join(' ')}]`);
    const path = fileFor(context);
    const config = readConfigFile(path);
    if (property === 'current-context' || Object.hasOwn(contentKey, property)) {
      const { [property]: _, ...rest } = config;
      writeConfigFile(path, rest);
    } else {
      const { section, name, field } = placeOf(property, config);
      const entries = entriesOf(config, section);
      const known = entries.find((entry) => entry.name === name);
      if (known === undefined) throw new CliError(`current map key \`${name}\` is invalid`);
      const others = entries.filter((entry) => entry !== known);
      const { [field ?? '']: _, ...content } = known.content;
      writeConfigFile(
        path,
        withEntries(config, section, field === undefined ? others : [...others, { name, content }]),
      );
    }
    context.out(`Property "${property}" unset.\n`);
    return 0;
  },
});
