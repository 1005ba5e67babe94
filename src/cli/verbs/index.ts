import type { VerbEntry } from '../verb.ts';

/** All commands, in the order of the overview. Each is loaded when it is called. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'get',
    summary: 'Display one or many resources',
    group: 'Basic Commands (Intermediate)',
    load: async () => (await import('./get/get.ts')).get,
  },
];
