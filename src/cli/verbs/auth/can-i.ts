import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import type { ResourceInfo } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag } from '../../flags.ts';
import { formatColumns } from '../../output/table.ts';
import { urlVerbs } from '../../resources/url-verbs.ts';
import { defineVerb } from '../../verb.ts';

const flags = {
  'all-namespaces': booleanFlag('If true, check the specified action in all namespaces.', { short: 'A' }),
  list: booleanFlag('If true, prints all allowed actions.'),
  'no-headers': booleanFlag('If true, prints allowed actions without headers'),
  quiet: booleanFlag('If true, suppress output and just return the exit code.', { short: 'q' }),
  subresource: textFlag('SubResource such as pod/log or deployment/scale'),
} as const;

type CanIFlags = FlagValues<typeof flags>;

export const canI = defineVerb({
  name: 'can-i',
  summary: 'Check whether an action is allowed',
  about:
    "Check whether an action is allowed.\n\n VERB is a logical Kubernetes API verb like 'get', 'list', 'watch', 'delete', etc. TYPE is a Kubernetes resource. Shortcuts and groups will be resolved. NONRESOURCEURL is a partial URL that starts with \"/\". NAME is the name of a particular Kubernetes resource.",
  usage: 'VERB [TYPE | TYPE/NAME | NONRESOURCEURL]',
  flags,
  async run(context, given, args) {
    if (given.list) {
      if (args.length > 0) throw new CliError('list option must be specified with no arguments');
      return listRules(context, given);
    }
    if (given['no-headers']) throw new CliError('--no-headers can only be used with --list');
    const [verb = '', target = ''] = args;
    if (args.length < 2 || args.length > 3) {
      throw new CliError(
        `you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.`,
      );
    }
    return check(context, given, { verb, target, name: args[2] });
  },
});

const resourceVerbs = new Set(
  'get list watch create update patch delete deletecollection use bind impersonate escalate approve sign attest *'.split(
    ' ',
  ),
);

interface Question {
  readonly verb: string;
  readonly target: string;
  readonly name: string | undefined;
}

async function check(context: CommandContext, given: CanIFlags, { verb, target, name }: Question): Promise<number> {
  const known = target.startsWith('/') ? urlVerbs : resourceVerbs;
  const spec = target.startsWith('/')
    ? { nonResourceAttributes: { path: target, verb } }
    : { resourceAttributes: await attributes(context, given, { verb, target, name }) };
  if (!known.has(verb)) context.err(`Warning: verb '${verb}' is not a known verb\n\n`);
  const review = await context.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec },
  });
  const status = review['status'] as {
    readonly allowed?: boolean;
    readonly reason?: string;
    readonly evaluationError?: string;
  };
  if (!given.quiet) {
    const why = [status.reason ?? '', status.evaluationError ?? ''].filter((text) => text !== '');
    context.out(
      status.allowed === true
        ? 'yes\n'
        : `no${why[0] === undefined ? '' : ` - ${why[0]}`}${why[1] === undefined ? '' : ` - ${why[1]}`}\n`,
    );
  }
  return status.allowed === true ? 0 : 1;
}

async function attributes(context: CommandContext, given: CanIFlags, question: Question): Promise<JsonObject> {
  const { verb, target } = question;
  const slash = target.indexOf('/');
  const type = slash < 0 ? target : target.slice(0, slash);
  const name = slash < 0 ? question.name : target.slice(slash + 1);
  const info = type === '*' ? undefined : (await context.mapper()).tryResource(type);
  warn(context, given, { type, info });
  const [resource = '', ...group] = type.split('.');
  const isScoped = info === undefined || info.namespaced;
  return {
    ...(given['all-namespaces'] || !isScoped ? {} : { namespace: context.namespace() }),
    verb,
    ...(type === '*'
      ? { group: '*' }
      : (info?.group ?? group.join('.')) === ''
        ? {}
        : { group: info?.group ?? group.join('.') }),
    resource: info?.resource ?? resource,
    ...(given.subresource === undefined ? {} : { subresource: given.subresource }),
    ...(name === undefined || name === '' ? {} : { name }),
  };
}

function warn(
  context: CommandContext,
  given: CanIFlags,
  { type, info }: { readonly type: string; readonly info: ResourceInfo | undefined },
): void {
  if (type === '*') return;
  if (info === undefined) {
    const [resource = '', ...group] = type.split('.');
    const where = group.length === 0 ? '' : ` in group '${group.join('.')}'`;
    context.err(`Warning: the server doesn't have a resource type '${resource}'${where}\n\n`);
  } else if (!info.namespaced && !given['all-namespaces']) {
    const where = info.group === '' ? '' : ` in group '${info.group}'`;
    context.err(`Warning: resource '${info.resource}' is not namespace scoped${where}\n\n`);
  }
}

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

async function listRules(context: CommandContext, given: CanIFlags): Promise<number> {
  const review = await context.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      metadata: {},
      spec: { namespace: context.namespace() },
    },
  });
  const status = review['status'] as {
    readonly resourceRules?: readonly Rule[];
    readonly nonResourceRules?: readonly Rule[];
    readonly incomplete?: boolean;
    readonly evaluationError?: string;
  };
  if (status.incomplete === true) {
    context.err(`warning: the list may be incomplete: ${status.evaluationError ?? ''}\n`);
  }
  const list = (values: readonly string[] | undefined): string => `[${(values ?? []).join(' ')}]`;
  const rows = compact([...(status.resourceRules ?? []), ...(status.nonResourceRules ?? [])]).map((rule) => [
    combined(rule),
    list(rule.nonResourceURLs),
    list(rule.resourceNames),
    list(rule.verbs),
  ]);
  const header = given['no-headers'] ? [] : [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']];
  context.out(formatColumns([...header, ...rows]));
  return 0;
}

/** One rule per resource, in the order in which kubectl shows them. */
function compact(rules: readonly Rule[]): readonly Rule[] {
  const merged = new Map<string, Rule>();
  const single = rules.flatMap((rule): readonly Rule[] =>
    rule.resources === undefined
      ? (rule.nonResourceURLs ?? []).map((url) => ({ verbs: rule.verbs, nonResourceURLs: [url] }))
      : rule.resources.flatMap((resource) =>
          (rule.apiGroups ?? ['']).map((group) => ({ ...rule, resources: [resource], apiGroups: [group] })),
        ),
  );
  for (const rule of single) {
    if (rule.resources === undefined) {
      merged.set(`${merged.size}`, rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []]);
    const known = merged.get(key);
    const verbs = [...new Set([...(known?.verbs ?? []), ...rule.verbs])];
    merged.set(key, { ...rule, verbs });
  }
  const list = (values: readonly string[] = []): string => `[${values.join(' ')}]`;
  const key = ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: Rule): string =>
    [verbs, apiGroups, resources, resourceNames, nonResourceURLs].map(list).join(',');
  return [...merged.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function combined({ resources = [], apiGroups = [] }: Rule): string {
  return resources
    .flatMap((resource) => apiGroups.map((group) => (group === '' ? resource : `${resource}.${group}`)))
    .join(',');
}
