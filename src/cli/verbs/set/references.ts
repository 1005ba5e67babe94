import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, textFlag } from '../../flags.ts';
import { valueAt, withValueAt } from '../../manifests/objects.ts';
import { withPodSpec } from '../../manifests/pod-specs.ts';
import { requireResources } from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';
import { setFlags, setOnTargets } from './changes.ts';

export const setServiceAccount = defineVerb({
  name: 'serviceaccount',
  aliases: ['sa'],
  summary: 'Update the service account of a resource',
  usage: '(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT',
  flags: setFlags,
  async run(context, flags, args) {
    const serviceAccountName = args.at(-1);
    if (serviceAccountName === undefined) throw new CliError('serviceaccount is required');
    return setOnTargets(context, {
      flags,
      resources: args.slice(0, -1),
      operation: 'serviceaccount updated',
      change: (target) => withPodSpec(target, (spec) => ({ ...spec, serviceAccountName })),
    });
  },
});

export const setSelector = defineVerb({
  name: 'selector',
  summary: 'Set the selector on a resource',
  usage: '(-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]',
  flags: {
    ...setFlags,
    'resource-version': textFlag(
      'If non-empty, the selectors update will only succeed if this is the current resource-version for the object.',
    ),
  },
  async run(context, flags, args) {
    const expression = args.at(-1);
    if (expression?.includes('=') !== true) throw new CliError('one selector is required');
    const selector = Object.fromEntries(expression.split(',').map((pair) => pair.split('=')));
    return setOnTargets(context, {
      flags,
      resources: args.slice(0, -1),
      operation: 'selector updated',
      change({ info, object }) {
        if (info.kind !== 'Service') throw new CliError(`setting a selector is only supported for Services`);
        // A patch cannot take keys away that are simply left out.
        const old = (valueAt(object, 'spec', 'selector') ?? {}) as JsonObject;
        const cleared = Object.fromEntries(Object.keys(old).map((key) => [key, undefined]));
        return withValueAt(object, ['spec', 'selector'], { ...cleared, ...selector });
      },
    });
  },
});

const apiGroup = 'rbac.authorization.k8s.io';

export const setSubject = defineVerb({
  name: 'subject',
  summary: 'Update the user, group, or service account in a role binding or cluster role binding',
  usage:
    '(-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]',
  flags: {
    ...setFlags,
    group: arrayFlag('Groups to bind to the role'),
    serviceaccount: arrayFlag('Service accounts to bind to the role'),
    user: arrayFlag('Usernames to bind to the role'),
  },
  async run(context, flags, args) {
    requireResources(args, flags);
    const added: JsonObject[] = [
      ...flags.user.map((name) => ({ apiGroup, kind: 'User', name })),
      ...flags.group.map((name) => ({ apiGroup, kind: 'Group', name })),
      ...flags.serviceaccount.map((text) => {
        const [namespace = '', name = ''] = text.split(':');
        if (namespace === '' || name === '') throw new CliError('serviceaccount must be <namespace>:<name>');
        return { kind: 'ServiceAccount', name, namespace };
      }),
    ];
    if (added.length === 0) throw new CliError('you must specify at least one value of user, group or serviceaccount');
    return setOnTargets(context, {
      flags,
      resources: args,
      operation: 'subjects updated',
      change({ object }) {
        const before = (valueAt(object, 'subjects') ?? []) as readonly JsonObject[];
        const isThere = (subject: JsonObject): boolean =>
          before.some(
            ({ kind, name, namespace }) =>
              kind === subject['kind'] && name === subject['name'] && namespace === subject['namespace'],
          );
        return { ...object, subjects: [...before, ...added.filter((subject) => !isThere(subject))] };
      },
    });
  },
});
