import { CliError } from '../../failures.ts';
import { withContainers } from '../../manifests/pod-specs.ts';
import { requireResources } from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';
import { setFlags, setOnTargets, splitAtPairs } from './changes.ts';

export const setImage = defineVerb({
  name: 'image',
  summary: 'Update the image of a pod template',
  usage: '(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N',
  examples: `
# One container of a deployment
kubectl set image deployment/web web=nginx:1.29

# All of them
kubectl set image deployment/web '*=nginx:1.29'`,
  flags: setFlags,
  async run(context, flags, args) {
    const { resources, pairs } = splitAtPairs(args, (arg) => arg.includes('='));
    requireResources(resources, flags);
    if (pairs.length === 0) throw new CliError('at least one image update is required');
    return setOnTargets(context, {
      flags,
      resources,
      operation: 'image updated',
      change: (target) =>
        pairs.reduce((object, pair) => {
          const [name = '', ...image] = pair.split('=');
          return withContainers({ ...target, object }, name, (container) => ({ ...container, image: image.join('=') }));
        }, target.object),
    });
  },
});
