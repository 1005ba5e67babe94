import { entryOf, type Verb, type VerbEntry } from '../../verb.ts';

/** A generator that is loaded when it is called. */
const entry = (name: string, summary: string, load: () => Promise<Verb>, aliases?: readonly string[]): VerbEntry => ({
  name,
  summary,
  load,
  ...(aliases === undefined ? {} : { aliases }),
});

const workloads = () => import('./workloads.ts');
const access = () => import('./access.ts');
const policies = () => import('./policies.ts');
const services = () => import('./services.ts');
const secrets = () => import('./secrets.ts');
const configuration = () => import('./config-map.ts');

/** `create KIND`, in the order of the overview. */
export const generatorEntries: readonly VerbEntry[] = [
  entry('clusterrole', 'Create a cluster role', async () => (await access()).clusterRole),
  entry(
    'clusterrolebinding',
    'Create a cluster role binding for a particular cluster role',
    async () => (await access()).clusterRoleBinding,
  ),
  entry(
    'configmap',
    'Create a config map from a local file, directory or literal value',
    async () => (await configuration()).configMap,
    ['cm'],
  ),
  entry('cronjob', 'Create a cron job with the specified name', async () => (await workloads()).cronJob, ['cj']),
  entry('deployment', 'Create a deployment with the specified name', async () => (await workloads()).deployment, [
    'deploy',
  ]),
  entry('ingress', 'Create an ingress with the specified name', async () => (await import('./ingress.ts')).ingress, [
    'ing',
  ]),
  entry('job', 'Create a job with the specified name', async () => (await workloads()).job),
  entry('namespace', 'Create a namespace with the specified name', async () => (await policies()).namespace, ['ns']),
  entry(
    'poddisruptionbudget',
    'Create a pod disruption budget with the specified name',
    async () => (await policies()).podDisruptionBudget,
    ['pdb'],
  ),
  entry(
    'priorityclass',
    'Create a priority class with the specified name',
    async () => (await policies()).priorityClass,
    ['pc'],
  ),
  entry('quota', 'Create a quota with the specified name', async () => (await policies()).quota, ['resourcequota']),
  entry('role', 'Create a role with single rule', async () => (await access()).role),
  entry(
    'rolebinding',
    'Create a role binding for a particular role or cluster role',
    async () => (await access()).roleBinding,
  ),
  entry('secret', 'Create a secret using a specified subcommand', async () => (await secrets()).secret),
  entry('service', 'Create a service using a specified subcommand', async () => (await services()).service, ['svc']),
  entry(
    'serviceaccount',
    'Create a service account with the specified name',
    async () => (await access()).serviceAccount,
    ['sa'],
  ),
  entry('token', 'Request a service account token', async () => (await import('./token.ts')).token),
];

/** A command whose kinds are commands below it. */
export const below = (verbs: readonly Verb[]): readonly VerbEntry[] => verbs.map(entryOf);
