import { defineVerb, entryOf } from '../../verb.ts';
import { setPreference } from './set.ts';
import { viewPreferences } from './view.ts';

export const kuberc = defineVerb({
  name: 'kuberc',
  summary: 'Manage kuberc configuration files',
  about:
    'A kuberc file (KUBERC, or ~/.kube/kuberc) holds preferences: defaults for the flags of commands, and aliases, which are commands of your own. KUBERC=off leaves it out.',
  usage: '',
  examples: `
# View the preferences
kubectl kuberc view

# Always ask before deleting
kubectl kuberc set --section defaults --command delete --option interactive=true

# getn for get nodes -o wide
kubectl kuberc set --section aliases --name getn --command get --prependarg nodes --option output=wide`,
  flags: {},
  commands: [entryOf(setPreference), entryOf(viewPreferences)],
});
