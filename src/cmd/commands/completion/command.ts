import { completionScript } from '#cli/verbs/completion/scripts.ts';
import { UserError } from '../../data-folder.ts';
import type { Command } from '../command.ts';

const help = `Print a script that completes the commands and flags of proa, "proa kubectl" included.

Usage: proa completion bash | zsh | fish

  source <(proa completion bash)      in this shell; in ~/.bashrc for every one
`;

export const completion: Command = {
  name: 'completion',
  help,
  options: {},
  mostArguments: 1,
  async run(_values, [shell = '']) {
    const script = completionScript(shell, 'proa');
    if (script === undefined) throw new UserError('say for which shell: proa completion bash | zsh | fish');
    process.stdout.write(script);
    return 0;
  },
};
