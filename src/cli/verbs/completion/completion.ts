import { CliError, UsageError } from '../../failures.ts';
import { defineVerb } from '../../verb.ts';
import { completionScript } from './scripts.ts';

export const completion = defineVerb({
  name: 'completion',
  summary: 'Output shell completion code for the specified shell (bash, zsh, or fish)',
  about:
    'Output shell completion code for the specified shell (bash, zsh, or fish). The shell code must be evaluated to provide interactive completion of kubectl commands.',
  usage: 'SHELL',
  examples: `
# Load completion into the current shell
source <(kubectl completion bash)
source <(kubectl completion zsh)
kubectl completion fish | source`,
  flags: {},
  run: async (context, _flags, args) => {
    const [shell] = args;
    if (shell === undefined) throw new UsageError('Shell not specified.');
    if (args.length > 1) throw new UsageError('Too many arguments. Expected only the shell type.');
    const script = completionScript(shell, 'kubectl');
    if (script === undefined)
      throw new CliError(`Unsupported shell type "${shell}".\nSee 'kubectl completion -h' for help and examples`);
    context.out(script);
    return 0;
  },
});
