import { type Controller, defineController, done } from '#client/controller.ts';
import { Node as NodeKind } from '#kinds/generated/handles.ts';
import { CidrPool } from './cidr.ts';

/** Addresses per node: a /24, as upstream's default. */
const nodeMaskBits = 24;

/** Gives every node a range of pod addresses of its own. */
export function nodeIpam(clusterCidr: string): Controller {
  return defineController({
    name: 'node-controller',
    component: 'cidrAllocator',
    setup(context) {
      const pool = new CidrPool(clusterCidr, nodeMaskBits);
      const nodes = context.watch(NodeKind, (node, { type }) => {
        const { podCIDR } = node.spec ?? {};
        if (type === 'deleted') {
          if (podCIDR !== undefined) pool.release(podCIDR);
          return [];
        }
        if (podCIDR === undefined) return [node.metadata.name ?? ''];
        pool.occupy(podCIDR);
        return [];
      });
      return async (name, { client, signal }) => {
        const node = nodes.get(undefined, name);
        if (node === undefined || node.spec?.podCIDR !== undefined) return done;
        const podCIDR = pool.take();
        if (podCIDR === undefined) {
          const message = `Node ${name} status is now: CIDRNotAvailable`;
          context.events.record(NodeKind, node, { type: 'Normal', reason: 'CIDRNotAvailable', message });
          return done;
        }
        try {
          const body = { spec: { podCIDR, podCIDRs: [podCIDR] } };
          await client.patch(NodeKind, { name }, { type: 'merge', body }, { signal });
        } catch (error) {
          pool.release(podCIDR);
          throw error;
        }
        return done;
      };
    },
  });
}
