import { CliError } from '../../failures.ts';
import { arrayFlag, booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import {
  type Alias,
  emptyPreferences,
  type Option,
  type Preferences,
  readPreferences,
} from '../../kuberc/preferences.ts';
import { defineVerb } from '../../verb.ts';
import { pathOf, savePreferences } from './view.ts';

const flags = {
  'allowlist-entry': arrayFlag('Allowlist entry the form field=value (can be specified multiple times)'),
  appendarg: arrayFlag('Argument to append to the command (can be specified multiple times, for aliases only)'),
  command: textFlagWith('', "Command to configure (e.g., 'get', 'create', 'set env')"),
  name: textFlagWith('', 'Alias name (required for --section=aliases)'),
  option: arrayFlag('Flag option in the form flag=value (can be specified multiple times)'),
  overwrite: booleanFlag('Allow overwriting existing entries'),
  policy: textFlagWith('', "Policy for exec credential plugins: 'AllowAll', 'DenyAll' or 'Allowlist'"),
  prependarg: arrayFlag('Argument to prepend to the command (can be specified multiple times, for aliases only)'),
  section: textFlag("Section to modify: 'defaults', 'aliases', or 'credentialplugin'"),
} as const;

type SetFlags = FlagValues<typeof flags>;

export const setPreference = defineVerb({
  name: 'set',
  summary: 'Set values in the kuberc configuration',
  usage: '--section (defaults|aliases) --command COMMAND',
  flags,
  async run(context, values) {
    if (values.section === undefined) throw new CliError('required flag(s) "section" not set');
    const { path } = pathOf(context);
    check(values);
    const before = readPreferences(path) ?? emptyPreferences;
    savePreferences(context, path, changed(before, values));
    return 0;
  },
});

function check({ section, name, prependarg, appendarg, command, ...rest }: SetFlags): void {
  const isAlias = section === 'aliases';
  if (section !== 'defaults' && !isAlias && section !== 'credentialplugin') {
    throw new CliError(`--section must be "defaults", "aliases", or "credentialplugin", got: ${section}`);
  }
  if (isAlias && name === '') throw new CliError('--name is required when --section=aliases');
  if (section === 'defaults' && name !== '') {
    throw new CliError('--name should not be specified when --section=defaults');
  }
  if (section === 'defaults' && prependarg.length + appendarg.length > 0) {
    throw new CliError('--prependarg and --appendarg are only valid for --section=aliases');
  }
  if (section !== 'credentialplugin') {
    if (command === '') {
      throw new CliError('--command is required when --section=aliases or --section=defaults');
    }
    return;
  }
  checkPolicy(rest);
}

function checkPolicy({ policy, 'allowlist-entry': entries }: Pick<SetFlags, 'policy' | 'allowlist-entry'>): void {
  const when = '--section=credentialplugin and --policy=Allowlist';
  if (policy === '') throw new CliError('--policy is required when --section=credentialplugin');
  if (policy !== 'AllowAll' && policy !== 'DenyAll' && policy !== 'Allowlist') {
    throw new CliError(` --policy must be  "AllowAll", "DenyAll", or "Allowlist", got: ${policy}`);
  }
  if (policy !== 'Allowlist' && entries.length > 0) {
    throw new CliError(`--allowlist-entry may only be used when ${when}`);
  }
  if (policy === 'Allowlist' && entries.length === 0) throw new CliError(`--allowlist-entry is required when ${when}`);
}

function changed(before: Preferences, values: SetFlags): Preferences {
  const options = values.option.map(optionOf);
  switch (values.section) {
    case 'defaults':
      return withDefaults(before, values, options);
    case 'aliases':
      return withAlias(before, values, options);
    default: {
      const allowed = values['allowlist-entry'].flatMap((entry) => entry.split(',').map(allowedCommand));
      return {
        ...before,
        credentialPluginPolicy: values.policy,
        ...(allowed.length === 0 ? {} : { credentialPluginAllowlist: allowed }),
      };
    }
  }
}

function optionOf(text: string): Option {
  const equals = text.indexOf('=');
  if (equals < 0) throw new CliError(`invalid option format ${JSON.stringify(text)}, expected flag=value`);
  return { name: text.slice(0, equals).replace(/^-+/, ''), default: text.slice(equals + 1) };
}

function withDefaults(before: Preferences, values: SetFlags, options: readonly Option[]): Preferences {
  const { command, overwrite } = values;
  const old = before.defaults.find((each) => each.command === command);
  if (old === undefined) return { ...before, defaults: [...before.defaults, { command, options }] };
  if (!overwrite) {
    throw new CliError(`defaults for command ${JSON.stringify(command)} already exist, use --overwrite to replace`);
  }
  const now = { command, options: options.length === 0 ? old.options : options };
  return { ...before, defaults: before.defaults.map((each) => (each === old ? now : each)) };
}

function withAlias(before: Preferences, values: SetFlags, options: readonly Option[]): Preferences {
  const { name, command, overwrite, prependarg, appendarg } = values;
  const old = before.aliases.find((each) => each.name === name);
  if (old !== undefined && !overwrite) {
    throw new CliError(`alias ${JSON.stringify(name)} already exists, use --overwrite to replace`);
  }
  const or = <Item>(given: readonly Item[], kept: readonly Item[] | undefined) => (given.length > 0 ? given : kept);
  const entries = Object.entries({
    name,
    command,
    prependArgs: or(prependarg, old?.prependArgs),
    appendArgs: or(appendarg, old?.appendArgs),
    options: or(options, old?.options),
  });
  const now = Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as unknown as Alias;
  const aliases =
    old === undefined ? [...before.aliases, now] : before.aliases.map((each) => (each === old ? now : each));
  return { ...before, aliases };
}

function allowedCommand(text: string): { readonly command: string } {
  const [field = '', value, ...more] = text.split('=');
  if (value === undefined) throw new CliError(`improperly formatted allowlist entry: ${JSON.stringify(text)}`);
  if (field === 'name') {
    throw new CliError('allowlist entry field "name" is deprecated, use "command" instead');
  }
  if (field !== 'command') throw new CliError(`unrecognized allowlist entry field: ${JSON.stringify(field)}`);
  const command = [value, ...more].join('=');
  if (command.trim() === '') throw new CliError('empty value in allowlist entry for field "command"');
  return { command };
}
