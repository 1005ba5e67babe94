import type { VerbEntry } from '../verb.ts';

/** Commands that change objects, run things in them, or wait for them. */
export const changingVerbs: readonly VerbEntry[] = [
  {
    name: 'create',
    summary: 'Create a resource from a file or from stdin',
    group: 'Basic Commands (Beginner)',
    load: async () => (await import('./create/create.ts')).create,
  },
  {
    name: 'delete',
    summary: 'Delete resources by file names, stdin, resources and names, or by resources and label selector',
    group: 'Basic Commands (Intermediate)',
    load: async () => (await import('./delete/delete.ts')).deleteVerb,
  },
  {
    name: 'apply',
    summary: 'Apply a configuration to a resource by file name or stdin',
    group: 'Advanced Commands',
    load: async () => (await import('./apply/apply.ts')).apply,
  },
  {
    name: 'logs',
    summary: 'Print the logs for a container in a pod',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./logs/logs.ts')).logs,
  },
  {
    name: 'attach',
    summary: 'Attach to a running container',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./attach/attach.ts')).attach,
  },
  {
    name: 'exec',
    summary: 'Execute a command in a container',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./exec/exec.ts')).exec,
  },
  {
    name: 'port-forward',
    summary: 'Forward one or more local ports to a pod',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./port-forward/port-forward.ts')).portForward,
  },
  {
    name: 'label',
    summary: 'Update the labels on a resource',
    group: 'Settings Commands',
    load: async () => (await import('./label/label.ts')).label,
  },
  {
    name: 'annotate',
    summary: 'Update the annotations on a resource',
    group: 'Settings Commands',
    load: async () => (await import('./annotate/annotate.ts')).annotate,
  },
  {
    name: 'scale',
    summary: 'Set a new size for a deployment, replica set, or replication controller',
    group: 'Deploy Commands',
    load: async () => (await import('./scale/scale.ts')).scale,
  },
  {
    name: 'rollout',
    summary: 'Manage the rollout of a resource',
    group: 'Deploy Commands',
    load: async () => (await import('./rollout/rollout.ts')).rollout,
  },
  {
    name: 'patch',
    summary: 'Update fields of a resource',
    group: 'Advanced Commands',
    load: async () => (await import('./patch/patch.ts')).patch,
  },
  {
    name: 'wait',
    summary: 'Wait for a specific condition on one or many resources',
    group: 'Advanced Commands',
    load: async () => (await import('./wait/wait.ts')).wait,
  },
  {
    name: 'expose',
    summary: 'Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service',
    group: 'Basic Commands (Beginner)',
    load: async () => (await import('./expose/expose.ts')).expose,
  },
  {
    name: 'run',
    summary: 'Run a particular image on the cluster',
    group: 'Basic Commands (Beginner)',
    load: async () => (await import('./run/run.ts')).run,
  },
  {
    name: 'autoscale',
    summary: 'Auto-scale a deployment, replica set, stateful set, or replication controller',
    group: 'Deploy Commands',
    load: async () => (await import('./autoscale/autoscale.ts')).autoscale,
  },
  {
    name: 'replace',
    summary: 'Replace a resource by file name or stdin',
    group: 'Advanced Commands',
    load: async () => (await import('./replace/replace.ts')).replace,
  },
  {
    name: 'set',
    summary: 'Set specific features on objects',
    group: 'Basic Commands (Beginner)',
    load: async () => (await import('./set/set.ts')).set,
  },
  {
    name: 'cordon',
    summary: 'Mark node as unschedulable',
    group: 'Cluster Management Commands',
    load: async () => (await import('./drain/cordon.ts')).cordon,
  },
  {
    name: 'uncordon',
    summary: 'Mark node as schedulable',
    group: 'Cluster Management Commands',
    load: async () => (await import('./drain/cordon.ts')).uncordon,
  },
  {
    name: 'drain',
    summary: 'Drain node in preparation for maintenance',
    group: 'Cluster Management Commands',
    load: async () => (await import('./drain/drain.ts')).drain,
  },
  {
    name: 'taint',
    summary: 'Update the taints on one or more nodes',
    group: 'Cluster Management Commands',
    load: async () => (await import('./taint/taint.ts')).taint,
  },
];
