import { defineSchedulerPlugin, unschedulable } from '../../framework.ts';
import { podInfo, portsConflict } from '../../pod-info.ts';

const rejection = unschedulable("node(s) didn't have free ports for the requested pod ports");

/** Two pods cannot have one port of a node's address. */
export const nodePorts = defineSchedulerPlugin({
  name: 'NodePorts',
  prepare({ hostPorts }) {
    if (hostPorts.length === 0) return 'skip';
    return {
      filter: (node) =>
        hostPorts.some((port) => node.hostPorts.some((used) => portsConflict(port, used))) ? rejection : undefined,
    };
  },
  wakes(event, { hostPorts }) {
    if (event.type === 'nodeAdded') return true;
    if (event.type !== 'assignedPodRemoved') return false;
    const freed = podInfo(event.pod).hostPorts;
    return hostPorts.some((port) => freed.some((other) => portsConflict(port, other)));
  },
});
