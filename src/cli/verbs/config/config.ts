import { readKubeconfig } from '#client/http/kubeconfig.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, ExitError } from '../../failures.ts';
import { booleanFlag, textFlag } from '../../flags.ts';
import { formatColumns } from '../../output/table.ts';
import { defineVerb, entryOf } from '../../verb.ts';
import { contextCommands } from './contexts.ts';
import { entryCommands } from './entries.ts';
import { entriesOf, fileFor, pathsOf, readConfigFile, type Section, writeConfigFile } from './files.ts';
import { set, unset } from './properties.ts';
import { view } from './view.ts';

const currentContext = defineVerb({
  name: 'current-context',
  summary: 'Display the current-context',
  usage: '',
  flags: {},
  run: async (context) => {
    const current = readKubeconfig(pathsOf(context))['current-context'];
    if (current === undefined) throw new CliError('current-context is not set');
    context.out(`${current}\n`);
    return 0;
  },
});

const useContext = defineVerb({
  name: 'use-context',
  aliases: ['use'],
  summary: 'Set the current-context in a kubeconfig file',
  usage: 'CONTEXT_NAME',
  flags: {},
  run: async (context, _flags, args) => {
    const [name] = args;
    if (name === undefined || args.length > 1) throw new CliError(`accepts 1 arg(s), received ${args.length}`);
    const known = readKubeconfig(pathsOf(context)).contexts ?? [];
    if (!known.some((entry) => entry.name === name)) throw new CliError(`no context exists with the name: "${name}"`);
    const path = fileFor(
      context,
      (config) => config['current-context'] !== undefined && config['current-context'] !== '',
    );
    writeConfigFile(path, { ...readConfigFile(path), 'current-context': name });
    context.out(`Switched to context "${name}".\n`);
    return 0;
  },
});

const getContexts = defineVerb({
  name: 'get-contexts',
  summary: 'Describe one or many contexts',
  usage: '[(-o|--output=)name)]',
  flags: {
    'no-headers': booleanFlag(
      "When using the default or custom-column output format, don't print headers (default print headers).",
    ),
    output: textFlag('Output format. One of: (name).', { short: 'o' }),
  },
  run: async (context, flags, args) => {
    if (flags.output !== undefined && !['', 'name'].includes(flags.output)) {
      throw new CliError(`output must be one of '' or 'name': ${flags.output}`);
    }
    const config = readKubeconfig(pathsOf(context));
    const known = new Map((config.contexts ?? []).map((entry) => [entry.name, entry.context]));
    const missing = args.filter((name) => !known.has(name)).map((name) => new CliError(`context ${name} not found`));
    const names = (args.length === 0 ? [...known.keys()] : args.filter((name) => known.has(name))).sort();
    if (flags.output === 'name') context.out(names.map((name) => `${name}\n`).join(''));
    else {
      const header = flags['no-headers'] ? [] : [['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']];
      const rows = names.map((name) => {
        const { cluster = '', user = '', namespace = '' } = known.get(name) ?? {};
        return [name === config['current-context'] ? '*' : '', name, cluster, user, namespace];
      });
      context.out(formatColumns([...header, ...rows]));
    }
    if (missing.length > 0) throw new AggregateError(missing);
    return 0;
  },
});

const getNames = (name: string, section: Section, summary: string) =>
  defineVerb({
    name,
    summary,
    usage: '',
    flags: {},
    run: async (context: CommandContext) => {
      const names = (readKubeconfig(pathsOf(context))[section] ?? []).map((entry) => entry.name).sort();
      context.out(['NAME', ...names].map((line) => `${line}\n`).join(''));
      return 0;
    },
  });

const removal = (name: string, section: Section, what: string) =>
  defineVerb({
    name,
    summary: `Delete the specified ${what} from the kubeconfig`,
    usage: 'NAME',
    flags: {},
    run: async (context: CommandContext, _flags, args) => {
      const [target] = args;
      if (target === undefined) throw new ExitError(1, `error: you must specify the name of the ${what} to delete`);
      const has = (config: Parameters<typeof entriesOf>[0]) =>
        entriesOf(config, section).some((entry) => entry.name === target);
      const path = fileFor(context, has);
      const config = readConfigFile(path);
      if (!has(config)) throw new CliError(`cannot delete ${what} ${target}, not in ${path}`);
      if (section === 'contexts' && config['current-context'] === target) {
        context.err(
          'warning: this removed your active context, use "kubectl config use-context" to select a different one\n',
        );
      }
      const list = (config[section] as readonly { readonly name: string }[]).filter((entry) => entry.name !== target);
      writeConfigFile(path, { ...config, [section]: list });
      context.out(`deleted ${what} ${target} from ${path}\n`);
      return 0;
    },
  });

export const config = defineVerb({
  name: 'config',
  summary: 'Modify kubeconfig files',
  about:
    'Modify kubeconfig files using subcommands like "kubectl config set current-context my-context".\n\n The file is the one of --kubeconfig, else those that the KUBECONFIG environment variable lists, else .kube/config in the home directory.',
  usage: '',
  flags: {},
  commands: [
    currentContext,
    removal('delete-cluster', 'clusters', 'cluster'),
    removal('delete-context', 'contexts', 'context'),
    removal('delete-user', 'users', 'user'),
    getNames('get-clusters', 'clusters', 'Display clusters defined in the kubeconfig'),
    getContexts,
    getNames('get-users', 'users', 'Display users defined in the kubeconfig'),
    ...contextCommands,
    set,
    ...entryCommands,
    unset,
    useContext,
    view,
  ].map(entryOf),
});
