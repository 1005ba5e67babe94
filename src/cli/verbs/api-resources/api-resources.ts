import type { JsonObject } from '#machinery/meta.ts';
import { apiVersionOf } from '#machinery/meta.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import { qualifiedName, type ResourceInfo } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, listFlag, textFlag } from '../../flags.ts';
import { printJson } from '../../output/printers.ts';
import { formatColumns } from '../../output/table.ts';
import { defineVerb } from '../../verb.ts';

export const apiResources = defineVerb({
  name: 'api-resources',
  summary: 'Print the supported API resources on the server',
  usage: '[flags]',
  flags: {
    'api-group': textFlag('Limit to resources in the specified API group.'),
    cached: booleanFlag('Use the cached list of resources if available.'),
    categories: listFlag('Limit to resources that belong to the specified categories.'),
    namespaced: booleanFlag(
      'If false, non-namespaced resources will be returned, otherwise returning namespaced resources by default.',
      { initial: true },
    ),
    'no-headers': booleanFlag(
      "When using the default or custom-column output format, don't print headers (default print headers).",
    ),
    output: textFlag('Output format. One of: (json, yaml, name, wide).', { short: 'o' }),
    'show-managed-fields': booleanFlag('Kept for scripts: resources have no managed fields.'),
    'sort-by': textFlag(
      "If non-empty, sort list of resources using specified field. The field can be either 'name' or 'kind'.",
    ),
    verbs: listFlag('Limit to resources that support the specified verbs.'),
  },
  async run(context, flags, args) {
    if (args.length > 0)
      throw new CliError(
        `unexpected arguments: [${args.join(' ')}]\nSee 'kubectl api-resources -h' for help and examples`,
      );
    const { output = '', 'sort-by': sortBy = '' } = flags;
    if (!['', 'wide', 'name', 'json', 'yaml'].includes(output)) {
      throw new CliError(
        `unable to match a printer suitable for the output format "${output}", allowed formats are: json,name,wide,yaml`,
      );
    }
    if (!['', 'name', 'kind'].includes(sortBy)) throw new CliError('--sort-by accepts only name or kind');
    const mapper = await context.mapper();
    const chosen = mapper
      .preferred()
      .filter(
        (info) =>
          info.verbs.length > 0 &&
          (flags['api-group'] === undefined || info.group === flags['api-group']) &&
          (!context.changed.has('namespaced') || info.namespaced === flags.namespaced) &&
          flags.verbs.every((verb) => info.verbs.includes(verb)) &&
          flags.categories.every((category) => info.categories.includes(category)),
      );
    const sorted = [...chosen].sort(
      (a, b) => compareText(keyOf(a, sortBy), keyOf(b, sortBy)) || compareText(a.resource, b.resource),
    );
    if (output === 'json') context.out(`${printJson(asList(sorted))}\n`);
    else if (output === 'yaml') context.out(dumpYaml(asList(sorted)));
    else if (output === 'name') context.out(sorted.map((info) => `${qualifiedName(info)}\n`).join(''));
    else context.out(table(sorted, { wide: output === 'wide', headers: !flags['no-headers'] }));
    return 0;
  },
});

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const keyOf = (info: ResourceInfo, by: string): string =>
  by === 'name' ? info.resource : by === 'kind' ? info.kind : info.group;

function table(
  infos: readonly ResourceInfo[],
  { wide, headers }: { readonly wide: boolean; readonly headers: boolean },
): string {
  const header = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(wide ? ['VERBS', 'CATEGORIES'] : [])];
  const rows = infos.map((info) => [
    info.resource,
    info.shortNames.join(','),
    apiVersionOf(info),
    String(info.namespaced),
    info.kind,
    ...(wide ? [info.verbs.join(','), info.categories.join(',')] : []),
  ]);
  return formatColumns([...(headers ? [header] : []), ...rows]);
}

function asList(infos: readonly ResourceInfo[]): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'APIResourceList',
    groupVersion: '',
    resources: infos.map(({ resource, singular, namespaced, group, version, kind, verbs, shortNames, categories }) => ({
      name: resource,
      singularName: singular,
      namespaced,
      ...(group === '' ? {} : { group }),
      version,
      kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    })),
  };
}
