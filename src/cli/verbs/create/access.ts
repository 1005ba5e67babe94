import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { NoResourceError } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, listFlag, textFlag } from '../../flags.ts';
import { defineGenerator } from '../../manifests/generate.ts';
import { urlVerbs } from '../../resources/url-verbs.ts';

const standardVerbs = new Set(
  'get list watch create update patch delete deletecollection use bind impersonate escalate approve sign proxy attest'.split(
    ' ',
  ),
);

const ruleFlags = {
  resource: listFlag('Resource that the rule applies to'),
  'resource-name': arrayFlag(
    'Resource in the white list that the rule applies to, repeat this flag for multiple items',
  ),
  verb: listFlag('Verb that applies to the resources contained in the rule'),
} as const;

interface RuleQuestion {
  readonly resource: readonly string[];
  readonly 'resource-name': readonly string[];
  readonly verb: readonly string[];
}

function verbsOf(context: CommandContext, { verb }: RuleQuestion): readonly string[] {
  if (verb.includes('*')) return ['*'];
  const verbs = [...new Set(verb)];
  if (verbs.length === 0) throw new CliError('at least one verb must be specified');
  for (const each of verbs)
    if (!standardVerbs.has(each)) context.err(`Warning: '${each}' is not a standard resource verb\n`);
  return verbs;
}

/** One rule for each group that the resources belong to. */
async function rulesOf(context: CommandContext, question: RuleQuestion): Promise<JsonObject[]> {
  const verbs = verbsOf(context, question);
  const names = [...new Set(question['resource-name'])];
  if (question.resource.length === 0) throw new CliError('at least one resource must be specified');
  const mapper = question.resource.every((text) => text === '*') ? undefined : await context.mapper();
  const groups = new Map<string, string[]>();
  for (const text of new Set(question.resource)) {
    const [type = '', ...subresource] = text.split('/');
    let group = '*';
    let resource = '*';
    if (type !== '*') {
      const info = mapper?.resource(type);
      if (info === undefined) throw new NoResourceError(type);
      group = info.group;
      resource = [info.resource, ...subresource].join('/');
    }
    groups.set(group, [...(groups.get(group) ?? []), resource]);
  }
  return [...groups].map(([group, resources]) => ({
    apiGroups: [group],
    ...(names.length === 0 ? {} : { resourceNames: names }),
    resources,
    verbs,
  }));
}

export const role = defineGenerator({
  name: 'role',
  summary: 'Create a role with single rule',
  usage:
    'NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]',
  flags: ruleFlags,
  async build({ name, flags, context }) {
    return {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name },
      rules: await rulesOf(context, flags),
    };
  },
});

export const clusterRole = defineGenerator({
  name: 'clusterrole',
  summary: 'Create a cluster role',
  usage: 'NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]',
  flags: {
    ...ruleFlags,
    'aggregation-rule': listFlag('An aggregation label selector for combining ClusterRoles.'),
    'non-resource-url': listFlag('A partial url that user should have access to.'),
  },
  async build({ name, flags, context }) {
    const aggregation = flags['aggregation-rule'];
    const urls = flags['non-resource-url'];
    const head = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name } };
    if (aggregation.length > 0) {
      if (flags.verb.length > 0 || urls.length > 0 || flags.resource.length > 0) {
        throw new CliError('aggregation rule must be specified without nonResourceURLs, resources or verbs');
      }
      const matchLabels = Object.fromEntries(aggregation.map((pair) => pair.split('=', 2)));
      return { ...head, aggregationRule: { clusterRoleSelectors: [{ matchLabels }] }, rules: null };
    }
    const verbs = verbsOf(context, flags);
    if (flags.resource.length === 0 && urls.length === 0)
      throw new CliError('one of resource or nonResourceURL must be specified');
    const odd = urls.length === 0 ? undefined : verbs.find((verb) => !urlVerbs.has(verb));
    if (odd !== undefined) throw new CliError(`invalid verb: '${odd}' for nonResourceURL`);
    const rules = flags.resource.length === 0 ? [] : await rulesOf(context, flags);
    return { ...head, rules: [...rules, ...(urls.length === 0 ? [] : [{ nonResourceURLs: urls, verbs }])] };
  },
});

const subjectFlags = {
  group: arrayFlag('Groups to bind to the role. The flag can be repeated to add multiple groups.'),
  serviceaccount: arrayFlag(
    'Service accounts to bind to the role, in the format <namespace>:<name>. The flag can be repeated to add multiple service accounts.',
  ),
  user: arrayFlag('Usernames to bind to the role. The flag can be repeated to add multiple users.'),
} as const;

interface SubjectQuestion {
  readonly group: readonly string[];
  readonly serviceaccount: readonly string[];
  readonly user: readonly string[];
}

const apiGroup = 'rbac.authorization.k8s.io';

function subjectsOf({ user, group, serviceaccount }: SubjectQuestion): { readonly subjects?: readonly JsonObject[] } {
  const subjects: JsonObject[] = [
    ...user.map((name) => ({ apiGroup, kind: 'User', name })),
    ...group.map((name) => ({ apiGroup, kind: 'Group', name })),
    ...serviceaccount.map((text) => {
      const [namespace = '', name = '', ...rest] = text.split(':');
      if (namespace === '' || name === '' || rest.length > 0) {
        throw new CliError('serviceaccount must be <namespace>:<name>');
      }
      return { kind: 'ServiceAccount', name, namespace };
    }),
  ];
  return subjects.length === 0 ? {} : { subjects };
}

export const roleBinding = defineGenerator({
  name: 'rolebinding',
  summary: 'Create a role binding for a particular role or cluster role',
  usage:
    'NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  flags: {
    ...subjectFlags,
    clusterrole: textFlag('ClusterRole this RoleBinding should reference'),
    role: textFlag('Role this RoleBinding should reference'),
  },
  build({ name, flags }) {
    const { clusterrole, role: roleName } = flags;
    if ((clusterrole === undefined) === (roleName === undefined)) {
      throw new CliError('exactly one of clusterrole or role must be specified');
    }
    const roleRef =
      roleName === undefined
        ? { apiGroup, kind: 'ClusterRole', name: clusterrole }
        : { apiGroup, kind: 'Role', name: roleName };
    return { apiVersion: `${apiGroup}/v1`, kind: 'RoleBinding', metadata: { name }, roleRef, ...subjectsOf(flags) };
  },
});

export const clusterRoleBinding = defineGenerator({
  name: 'clusterrolebinding',
  summary: 'Create a cluster role binding for a particular cluster role',
  usage:
    'NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  flags: { ...subjectFlags, clusterrole: textFlag('ClusterRole this ClusterRoleBinding should reference') },
  build({ name, flags }) {
    const { clusterrole } = flags;
    if (clusterrole === undefined) throw new CliError('required flag(s) "clusterrole" not set');
    const roleRef = { apiGroup, kind: 'ClusterRole', name: clusterrole };
    return {
      apiVersion: `${apiGroup}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef,
      ...subjectsOf(flags),
    };
  },
});

export const serviceAccount = defineGenerator({
  name: 'serviceaccount',
  aliases: ['sa'],
  summary: 'Create a service account with the specified name',
  usage: 'NAME [--dry-run=server|client|none]',
  flags: {},
  build: ({ name }) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }),
});
