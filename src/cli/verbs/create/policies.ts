import { parseLabelSelector } from '#machinery/label-parser.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, integerFlag, textFlag, textFlagWith } from '../../flags.ts';
import { defineGenerator } from '../../manifests/generate.ts';

export const namespace = defineGenerator({
  name: 'namespace',
  aliases: ['ns'],
  summary: 'Create a namespace with the specified name',
  usage: 'NAME [--dry-run=server|client|none]',
  flags: {},
  build: ({ name }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {}, status: {} }),
});

export const quota = defineGenerator({
  name: 'quota',
  aliases: ['resourcequota'],
  summary: 'Create a quota with the specified name',
  usage: 'NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]',
  flags: {
    hard: textFlagWith('', 'A comma-delimited set of resource=quantity pairs that define a hard limit.'),
    scopes: textFlagWith(
      '',
      'A comma-delimited set of quota scopes that must all match each object tracked by the quota.',
    ),
  },
  build({ name, flags: { hard, scopes } }) {
    const pairs = hard === '' ? [] : hard.split(',').map((pair) => pair.split('='));
    const bad = pairs.find((pair) => pair.length !== 2 || pair[0] === '' || pair[1] === '');
    if (bad !== undefined) throw new CliError(`invalid argument syntax ${bad.join('=')}, expected <resource>=<value>`);
    const spec = {
      ...(pairs.length === 0 ? {} : { hard: Object.fromEntries(pairs) }),
      ...(scopes === '' ? {} : { scopes: scopes.split(',') }),
    };
    return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name }, spec, status: {} };
  },
});

export const priorityClass = defineGenerator({
  name: 'priorityclass',
  aliases: ['pc'],
  summary: 'Create a priority class with the specified name',
  usage: 'NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]',
  flags: {
    description: textFlagWith(
      '',
      'An arbitrary string that usually provides guidelines on when this priority class should be used.',
    ),
    'global-default': booleanFlag('Whether this PriorityClass should be considered as the default priority.'),
    'preemption-policy': textFlagWith('PreemptLowerPriority', 'The policy for preempting pods with lower priority.'),
    value: integerFlag(0, 'The value of this priority class.'),
  },
  build({ name, flags }) {
    const { description, value, 'preemption-policy': preemptionPolicy } = flags;
    return {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      ...(description === '' ? {} : { description }),
      ...(flags['global-default'] ? { globalDefault: true } : {}),
      preemptionPolicy,
      value,
    };
  },
});

export const podDisruptionBudget = defineGenerator({
  name: 'poddisruptionbudget',
  aliases: ['pdb'],
  summary: 'Create a pod disruption budget with the specified name',
  usage: 'NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]',
  flags: {
    'max-unavailable': textFlag('The maximum number or percentage of unavailable pods this budget requires.'),
    'min-available': textFlag('The minimum number or percentage of available pods this budget requires.'),
    selector: textFlagWith(
      '',
      'A label selector to use for this budget. Only equality-based selector requirements are supported.',
    ),
  },
  build({ name, flags }) {
    const { selector, 'min-available': minimum, 'max-unavailable': maximum } = flags;
    if (selector === '') throw new CliError('a selector must be specified');
    if (minimum === undefined && maximum === undefined) {
      throw new CliError('one of min-available or max-unavailable must be specified');
    }
    if (minimum !== undefined && maximum !== undefined) {
      throw new CliError('min-available and max-unavailable cannot be both specified');
    }
    const limit =
      minimum === undefined ? { maxUnavailable: countOf(maximum ?? '') } : { minAvailable: countOf(minimum) };
    return {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { ...limit, selector: labelSelectorOf(selector) },
      status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    };
  },
});

/** `2`, or `50%`. */
const countOf = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

const operators: Readonly<Record<string, string>> = {
  in: 'In',
  notin: 'NotIn',
  '!=': 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** What people write after `-l`, as objects hold it. */
function labelSelectorOf(text: string): JsonObject {
  const matchLabels: Record<string, string> = {};
  const matchExpressions: JsonObject[] = [];
  for (const { key, operator, values } of parseLabelSelector(text).requirements) {
    const list = [...values];
    if (operator === '=' || operator === '==') matchLabels[key] = list[0] ?? '';
    else
      matchExpressions.push({
        key,
        operator: operators[operator] ?? operator,
        ...(list.length === 0 ? {} : { values: list }),
      });
  }
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  };
}
