import { defineVerb, entryOf } from '../../verb.ts';
import { canI } from './can-i.ts';
import { reconcile } from './reconcile/reconcile.ts';
import { whoami } from './whoami.ts';

export const auth = defineVerb({
  name: 'auth',
  summary: 'Inspect authorization',
  usage: '',
  flags: {},
  commands: [entryOf(canI), entryOf(reconcile), entryOf(whoami)],
});
