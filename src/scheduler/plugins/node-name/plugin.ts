import { defineSchedulerPlugin, unresolvable } from '../../framework.ts';

const rejection = unresolvable("node(s) didn't match the requested node name");

/** A pod that names its node goes nowhere else. */
export const nodeName = defineSchedulerPlugin({
  name: 'NodeName',
  prepare({ pod }) {
    const wanted = pod.spec?.nodeName ?? '';
    if (wanted === '') return 'skip';
    return { filter: ({ name }) => (name === wanted ? undefined : rejection) };
  },
  wakes: (event, { pod }) => event.type === 'nodeAdded' && event.node.metadata.name === pod.spec?.nodeName,
});
