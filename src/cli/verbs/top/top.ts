import { defineVerb, entryOf } from '../../verb.ts';
import { topNode } from './node.ts';
import { topPod } from './pod.ts';

export const top = defineVerb({
  name: 'top',
  summary: 'Display resource (CPU/memory) usage',
  about:
    'Display resource (CPU/memory) usage of nodes and pods.\n\n It asks the metrics API (metrics.k8s.io), which an add-on such as the metrics server provides.',
  usage: '[flags]',
  flags: {},
  commands: [entryOf(topNode), entryOf(topPod)],
});
