import type { VerbEntry } from '../verb.ts';
import { changingVerbs } from './changing.ts';

/** All commands, in the order of the overview. Each is loaded when it is called. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'get',
    summary: 'Display one or many resources',
    group: 'Basic Commands (Intermediate)',
    load: async () => (await import('./get/get.ts')).get,
  },
  {
    name: 'certificate',
    summary: 'Modify certificate resources',
    group: 'Cluster Management Commands',
    load: async () => (await import('./certificate/certificate.ts')).certificate,
  },
  {
    name: 'cluster-info',
    summary: 'Display cluster information',
    group: 'Cluster Management Commands',
    load: async () => (await import('./cluster-info/cluster-info.ts')).clusterInfo,
  },
  {
    name: 'top',
    summary: 'Display resource (CPU/memory) usage',
    group: 'Cluster Management Commands',
    load: async () => (await import('./top/top.ts')).top,
  },
  {
    name: 'auth',
    summary: 'Inspect authorization',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./auth/auth.ts')).auth,
  },
  {
    name: 'events',
    summary: 'List events',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./events/events.ts')).events,
  },
  {
    name: 'api-resources',
    summary: 'Print the supported API resources on the server',
    load: async () => (await import('./api-resources/api-resources.ts')).apiResources,
  },
  {
    name: 'api-versions',
    summary: 'Print the supported API versions on the server, in the form of "group/version"',
    load: async () => (await import('./api-versions/api-versions.ts')).apiVersions,
  },
  {
    name: 'config',
    summary: 'Modify kubeconfig files',
    load: async () => (await import('./config/config.ts')).config,
  },
  {
    name: 'version',
    summary: 'Print the client and server version information',
    load: async () => (await import('./version/version.ts')).version,
  },
  {
    name: 'options',
    summary: 'Print the list of flags inherited by all commands',
    hidden: true,
    load: async () => (await import('./options/options.ts')).options,
  },
  ...changingVerbs,
  {
    name: 'describe',
    summary: 'Show details of a specific resource or group of resources',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./describe/describe.ts')).describe,
  },
  {
    name: 'explain',
    summary: 'Get documentation for a resource',
    group: 'Basic Commands (Intermediate)',
    load: async () => (await import('./explain/explain.ts')).explain,
  },
  {
    name: 'completion',
    summary: 'Output shell completion code for the specified shell (bash, zsh, or fish)',
    group: 'Settings Commands',
    load: async () => (await import('./completion/completion.ts')).completion,
  },
  {
    name: 'proxy',
    summary: 'Run a proxy to the Kubernetes API server',
    group: 'Troubleshooting and Debugging Commands',
    load: async () => (await import('./proxy/proxy.ts')).proxy,
  },
  {
    name: 'kuberc',
    summary: 'Manage kuberc configuration files',
    load: async () => (await import('./kuberc/kuberc.ts')).kuberc,
  },
  {
    name: 'plugin',
    summary: 'Provides utilities for interacting with plugins',
    load: async () => (await import('./plugin/plugin.ts')).pluginVerb(verbs),
  },
  {
    name: 'alpha',
    summary: 'Commands for features in alpha',
    hidden: true,
    load: async () => (await import('./alpha/alpha.ts')).alpha,
  },
  {
    name: '__complete',
    summary: 'Candidates for the last word of a command line',
    hidden: true,
    load: async () => (await import('./completion/complete.ts')).completeVerb(verbs),
  },
];
