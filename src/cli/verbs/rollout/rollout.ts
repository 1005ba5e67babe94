import { defineVerb, entryOf } from '../../verb.ts';
import { pause, restart, resume } from './change.ts';
import { history } from './history.ts';
import { status } from './status.ts';
import { undo } from './undo.ts';

export const rollout = defineVerb({
  name: 'rollout',
  summary: 'Manage the rollout of a resource',
  about: 'Manage the rollout of deployments, daemon sets and stateful sets.',
  usage: '',
  examples: `
# Wait until a rollout is through
kubectl rollout status deployment/web

# Back to what ran before
kubectl rollout undo deployment/web`,
  flags: {},
  commands: [history, pause, restart, resume, status, undo].map(entryOf),
});
