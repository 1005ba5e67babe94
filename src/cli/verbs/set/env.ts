import type { Container, EnvVar } from '#kinds/generated/types/core_v1.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, booleanFlag, listFlag, textFlagWith } from '../../flags.ts';
import { valueAt } from '../../manifests/objects.ts';
import { containersOf, withContainers } from '../../manifests/pod-specs.ts';
import { loadOne, loadTargets, namedResources, requireResources } from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';
import { setFlags, setOnTargets, splitAtPairs } from './changes.ts';

export const setEnv = defineVerb({
  name: 'env',
  summary: 'Update environment variables on a pod template',
  usage: 'RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N',
  examples: `
# Set a variable, and take one away
kubectl set env deployment/web COLOR=blue OLD-

# Every key of a config map
kubectl set env --from=configmap/settings deployment/web`,
  flags: {
    ...setFlags,
    containers: textFlagWith(
      '*',
      'The names of containers in the selected pod templates to change - may use wildcards',
      { short: 'c' },
    ),
    env: arrayFlag('Specify a key-value pair for an environment variable to set into each container.', { short: 'e' }),
    from: textFlagWith('', 'The name of a resource from which to inject environment variables'),
    keys: listFlag('Comma-separated list of keys to import from specified resource'),
    list: booleanFlag('If true, display the environment and any changes in the standard format.'),
    overwrite: booleanFlag(
      'If true, allow environment to be overwritten, otherwise reject updates that overwrite existing environment.',
      { initial: true },
    ),
    prefix: textFlagWith('', 'Prefix to append to variable names'),
    resolve: booleanFlag('If true, show secret or configmap references when listing variables'),
  },
  async run(context, flags, args) {
    const { resources, pairs } = splitAtPairs(
      args,
      (arg) => arg.includes('=') || (arg.endsWith('-') && !arg.includes('/')),
    );
    requireResources(resources, flags, namedResources);
    const changes = [...pairs, ...flags.env];
    if (flags.list && changes.length === 0) return listEnv(context, resources, flags);
    const imported = flags.from === '' ? [] : await importedFrom(context, flags);
    if (changes.length === 0 && imported.length === 0)
      throw new CliError('at least one environment variable must be provided');
    const set = [...imported, ...changes.filter((pair) => pair.includes('=')).map(variableOf)];
    const removed = new Set(changes.filter((pair) => !pair.includes('=')).map((pair) => pair.slice(0, -1)));
    return setOnTargets(context, {
      flags,
      resources,
      operation: 'env updated',
      change: (target) =>
        withContainers(target, flags.containers, (container) => changed(container, set, removed, flags.overwrite)),
    });
  },
});

function variableOf(pair: string): EnvVar {
  const equals = pair.indexOf('=');
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
}

function changed(
  container: Container,
  set: readonly EnvVar[],
  removed: ReadonlySet<string>,
  overwrite: boolean,
): Container {
  const before = container.env ?? [];
  const taken = overwrite ? undefined : set.find(({ name }) => before.some((each) => each.name === name));
  if (taken !== undefined) throw new CliError(`'${taken.name}' already has a value, and --overwrite is false`);
  const kept = before
    .filter(({ name }) => !removed.has(name))
    .map((each) => set.findLast(({ name }) => name === each.name) ?? each);
  const added = set.filter(({ name }) => !before.some((each) => each.name === name));
  const env = [...kept, ...added];
  if (env.length > 0) return { ...container, env };
  const { env: _, ...rest } = container;
  return rest;
}

interface ImportQuestion {
  readonly from: string;
  readonly keys: readonly string[];
  readonly prefix: string;
}

/** A reference for each key of a config map or a secret. */
async function importedFrom(context: CommandContext, { from, keys, prefix }: ImportQuestion): Promise<EnvVar[]> {
  const source = await loadOne(context, { args: [from] });
  const { kind } = source.info;
  if (kind !== 'ConfigMap' && kind !== 'Secret') throw new CliError('unsupported resource specified in --from');
  return Object.keys((valueAt(source.object, 'data') ?? {}) as object)
    .sort()
    .filter((key) => keys.length === 0 || keys.includes(key))
    .map((key) => {
      const plain = key.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
      if (plain !== key) context.err(`Warning: key ${key} transferred to ${plain}\n`);
      const reference = { key, name: source.name };
      const valueFrom = kind === 'ConfigMap' ? { configMapKeyRef: reference } : { secretKeyRef: reference };
      return { name: `${prefix}${plain}`, valueFrom };
    });
}

async function listEnv(
  context: CommandContext,
  resources: readonly string[],
  flags: { readonly selector: string | undefined; readonly all: boolean },
): Promise<number> {
  const { targets } = await loadTargets(context, { args: resources, selector: flags.selector, all: flags.all });
  for (const target of targets) {
    for (const { name, env = [] } of containersOf(target)) {
      context.out(`# ${target.info.kind} ${target.name}, container ${name}\n`);
      for (const variable of env) context.out(`${lineOf(variable)}\n`);
    }
  }
  return 0;
}

function lineOf({ name, value = '', valueFrom }: EnvVar): string {
  const { configMapKeyRef: map, secretKeyRef: secret, fieldRef, resourceFieldRef } = valueFrom ?? {};
  if (map !== undefined) return `# ${name} from configmap ${map.name}, key ${map.key}`;
  if (secret !== undefined) return `# ${name} from secret ${secret.name}, key ${secret.key}`;
  if (fieldRef !== undefined) return `# ${name} from field path ${fieldRef.fieldPath}`;
  if (resourceFieldRef !== undefined) return `# ${name} from resource field ${resourceFieldRef.resource}`;
  return `${name}=${value}`;
}
