import { defineVerb } from '../../verb.ts';

/** Where commands stand until they are stable: now there are none. */
export const alpha = defineVerb({
  name: 'alpha',
  summary: 'Commands for features in alpha',
  usage: '[flags]',
  flags: {},
  async run(context) {
    context.err('No alpha commands are available in this version of kubectl\n');
    return 0;
  },
});
