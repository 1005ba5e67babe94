import { apiVersionOf } from '#machinery/meta.ts';
import { UsageError } from '../../failures.ts';
import { defineVerb } from '../../verb.ts';

export const apiVersions = defineVerb({
  name: 'api-versions',
  summary: 'Print the supported API versions on the server, in the form of "group/version"',
  usage: '[flags]',
  flags: {},
  async run(context, _flags, args) {
    if (args.length > 0) throw new UsageError(`unexpected arguments: [${args.join(' ')}]`);
    const { all } = await context.mapper();
    context.out(
      [...new Set(all.map(apiVersionOf))]
        .sort()
        .map((version) => `${version}\n`)
        .join(''),
    );
    return 0;
  },
});
