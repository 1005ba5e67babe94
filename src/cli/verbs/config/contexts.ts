import type { JsonObject } from '#machinery/meta.ts';
import { CliError, UsageError } from '../../failures.ts';
import { booleanFlag } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';
import { entriesOf, fileFor, readConfigFile, withEntries, withEntry, writeConfigFile } from './files.ts';

const renameContext = defineVerb({
  name: 'rename-context',
  summary: 'Rename a context from the kubeconfig file',
  usage: 'CONTEXT_NAME NEW_NAME',
  flags: {},
  run: async (context, _flags, args) => {
    const [from = '', to = ''] = args;
    if (args.length !== 2) throw new CliError(`accepts 2 arg(s), received ${args.length}`);
    const path = fileFor(context, (config) => entriesOf(config, 'contexts').some(({ name }) => name === from));
    const config = readConfigFile(path);
    const entries = entriesOf(config, 'contexts');
    if (!entries.some(({ name }) => name === from)) {
      throw new CliError(`cannot rename the context "${from}", it's not in ${path}`);
    }
    if (entries.some(({ name }) => name === to)) {
      throw new CliError(`cannot rename the context "${from}", the context "${to}" already exists in ${path}`);
    }
    const renamed = withEntries(
      config,
      'contexts',
      entries.map((entry) => (entry.name === from ? { ...entry, name: to } : entry)),
    );
    writeConfigFile(path, config['current-context'] === from ? { ...renamed, 'current-context': to } : renamed);
    context.out(`Context "${from}" renamed to "${to}".\n`);
    return 0;
  },
});

const setContext = defineVerb({
  name: 'set-context',
  summary: 'Set a context entry in kubeconfig',
  usage: '[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]',
  flags: { current: booleanFlag('Modify the current context') },
  run: async (context, flags, args) => {
    if (args.length > 1 || (args.length === 0 && !flags.current)) {
      throw new UsageError(`Unexpected args: [${args.join(' ')}]`);
    }
    if (args.length === 1 && flags.current) throw new CliError('you cannot specify both a context name and --current');
    const current = (config: JsonObject): string => String(config['current-context'] ?? '');
    const wanted = (config: JsonObject): string => args[0] ?? current(config);
    const path = fileFor(context, (config) =>
      entriesOf(config, 'contexts').some(({ name }) => name === wanted(config)),
    );
    const config = readConfigFile(path);
    const name = wanted(config);
    if (name === '') throw new CliError('no current context is set');
    const known = entriesOf(config, 'contexts').find((entry) => entry.name === name);
    const { cluster, user, namespace } = context.globals;
    const given = Object.fromEntries(
      Object.entries({ cluster, user, namespace }).filter(([, value]) => value !== undefined),
    );
    const content = { cluster: '', user: '', ...known?.content, ...given } as JsonObject;
    writeConfigFile(path, withEntry(config, 'contexts', { name, content: withoutEmpty(content, 'namespace') }));
    context.out(`Context "${name}" ${known === undefined ? 'created' : 'modified'}.\n`);
    return 0;
  },
});

function withoutEmpty(content: JsonObject, key: string): JsonObject {
  const { [key]: value, ...rest } = content;
  return value === undefined || value === '' ? rest : content;
}

export const contextCommands = [renameContext, setContext];
