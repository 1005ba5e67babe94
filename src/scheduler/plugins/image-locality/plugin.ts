import { defineSchedulerPlugin, maxScore } from '../../framework.ts';

const mebibyte = 1024 * 1024;
/** Smaller images are pulled in no time. */
const leastBytes = 23 * mebibyte;
/** Per container; more does not count. */
const mostBytes = 1000 * mebibyte;

/** Prefers nodes that have the pod's images, the more so the more nodes have them: else one node would draw them all. */
export const imageLocality = defineSchedulerPlugin({
  name: 'ImageLocality',
  weight: 1,
  prepare({ pod }, snapshot) {
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    const images = containers.flatMap(({ image = '' }) => {
      const name = withTag(image);
      const spread = snapshot.nodesWithImage(name) / Math.max(1, snapshot.nodes.length);
      return spread === 0 ? [] : [{ name, spread }];
    });
    if (images.length === 0) return 'skip';
    const most = mostBytes * containers.length;
    return {
      score(node) {
        const bytes = images.reduce(
          (sum, { name, spread }) => sum + Math.floor((node.images.get(name) ?? 0) * spread),
          0,
        );
        const bounded = Math.min(most, Math.max(leastBytes, bytes));
        return Math.floor((maxScore * (bounded - leastBytes)) / (most - leastBytes));
      },
    };
  },
});

/** The name under which nodes report it: with `:latest` when there is neither tag nor digest. */
function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
