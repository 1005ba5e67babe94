import { globalOptions } from '../../help.ts';
import { defineVerb } from '../../verb.ts';

export const options = defineVerb({
  name: 'options',
  summary: 'Print the list of flags inherited by all commands',
  usage: '',
  flags: {},
  run: async (context) => {
    context.out(globalOptions());
    return 0;
  },
});
