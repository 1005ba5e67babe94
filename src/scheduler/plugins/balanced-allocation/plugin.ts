import { defineSchedulerPlugin, maxScore } from '../../framework.ts';

/** Prefers nodes whose cpu and memory would be used to the same degree: neither is left over without the other. */
export const balancedAllocation = defineSchedulerPlugin({
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepare({ requests }) {
    // A pod that asks for nothing does not move the balance.
    if (requests.cpu === 0 && requests.memory === 0) return 'skip';
    return {
      score({ allocatable, requested }) {
        if (allocatable.cpu === 0 || allocatable.memory === 0) return 0;
        const cpu = Math.min(1, (requested.cpu + requests.cpu) / allocatable.cpu);
        const memory = Math.min(1, (requested.memory + requests.memory) / allocatable.memory);
        return Math.floor((1 - Math.abs(cpu - memory) / 2) * maxScore);
      },
    };
  },
});
