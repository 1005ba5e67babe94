import { parseQuantity } from '#machinery/quantity.ts';
import { CliError } from '../../failures.ts';
import { textFlagWith } from '../../flags.ts';
import { withContainers } from '../../manifests/pod-specs.ts';
import { requireResources } from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';
import { setFlags, setOnTargets } from './changes.ts';

export const setResources = defineVerb({
  name: 'resources',
  summary: 'Update resource requests/limits on objects with pod templates',
  usage: '(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]',
  flags: {
    ...setFlags,
    containers: textFlagWith(
      '*',
      'The names of containers in the selected pod templates to change, all containers are selected by default - may use wildcards',
      { short: 'c' },
    ),
    limits: textFlagWith(
      '',
      "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.",
    ),
    requests: textFlagWith(
      '',
      "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.",
    ),
  },
  async run(context, flags, args) {
    requireResources(args, flags);
    if (flags.limits === '' && flags.requests === '') {
      throw new CliError('you must specify an update to requests or limits (in the form of --requests/--limits)');
    }
    const limits = listOf(flags.limits);
    const requests = listOf(flags.requests);
    return setOnTargets(context, {
      flags,
      resources: args,
      operation: 'resource requirements updated',
      change: (target) =>
        withContainers(target, flags.containers, (container) => {
          const before = container.resources ?? {};
          const merged = {
            ...before,
            ...(Object.keys(limits).length === 0 ? {} : { limits: merge(before.limits, limits) }),
            ...(Object.keys(requests).length === 0 ? {} : { requests: merge(before.requests, requests) }),
          };
          return { ...container, resources: merged };
        }),
    });
  },
});

function checkQuantity(text: string): void {
  try {
    parseQuantity(text);
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}

type Amounts = Readonly<Record<string, string>>;

function listOf(text: string): Amounts {
  if (text === '') return {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', amount = '', ...rest] = pair.split('=');
      if (name === '' || rest.length > 0 || amount === '') {
        throw new CliError(`invalid argument syntax ${pair}, expected <resource>=<value>`);
      }
      checkQuantity(amount);
      return [name, amount];
    }),
  );
}

/** An amount of zero takes the entry away. */
function merge(before: Amounts | undefined, changes: Amounts): Amounts {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, amount]) => amount !== '0'));
}
