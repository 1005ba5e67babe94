import { defineVerb, entryOf, type VerbEntry } from '../../verb.ts';
import { listVerb } from './list.ts';

/** @param commands what a plugin may not be called like */
export const pluginVerb = (commands: readonly VerbEntry[]) =>
  defineVerb({
    name: 'plugin',
    summary: 'Provides utilities for interacting with plugins',
    about:
      'A program in PATH whose name begins with kubectl- is a command of kubectl: kubectl-foo-bar runs for `kubectl foo bar`. The commands of kubectl itself go before them.',
    usage: '[flags]',
    examples: `
# List all available plugins
kubectl plugin list`,
    flags: {},
    commands: [entryOf(listVerb(commands))],
  });
