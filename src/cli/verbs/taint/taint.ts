import type { Taint } from '#kinds/generated/types/core_v1.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, textFlag, textFlagWith } from '../../flags.ts';
import { dryRunFlags, dryRunOf } from '../../manifests/dry-run.ts';
import { modifyTargets } from '../../manifests/modify.ts';
import { valueAt, withValueAt } from '../../manifests/objects.ts';
import { loadTargets } from '../../manifests/targets.ts';
import { validateFlags } from '../../manifests/validation.ts';
import { printFlags } from '../../output/printers.ts';
import { defineVerb } from '../../verb.ts';

const effects = new Set(['NoSchedule', 'PreferNoSchedule', 'NoExecute']);

interface TaintChanges {
  readonly set: readonly Taint[];
  /** An empty effect stands for all of them. */
  readonly remove: readonly Taint[];
}

export const taint = defineVerb({
  name: 'taint',
  summary: 'Update the taints on one or more nodes',
  usage: 'NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N',
  examples: `
# Keep pods away from a node
kubectl taint nodes worker-1 dedicated=games:NoSchedule

# No longer
kubectl taint nodes worker-1 dedicated-`,
  flags: {
    ...printFlags,
    ...dryRunFlags,
    ...validateFlags,
    all: booleanFlag('Select all nodes in the cluster'),
    'field-manager': textFlagWith('kubectl-taint', 'Name of the manager used to track field ownership.'),
    overwrite: booleanFlag(
      'If true, allow taints to be overwritten, otherwise reject taint updates that overwrite existing taints.',
    ),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  },
  async run(context, flags, args) {
    const [type = '', ...rest] = args;
    if (!['no', 'node', 'nodes'].includes(type)) {
      throw new CliError(
        type === ''
          ? 'one or more resources must be specified as <resource> <name>'
          : `invalid resource type ${type}, only node(s) is supported`,
      );
    }
    const isTaint = (arg: string): boolean =>
      /[:=]|-$/.test(arg) && (arg.includes(':') || arg.includes('=') || arg.endsWith('-'));
    const start = rest.findIndex(isTaint);
    const names = start < 0 ? rest : rest.slice(0, start);
    const changes = changesOf(start < 0 ? [] : rest.slice(start));
    if (changes.set.length === 0 && changes.remove.length === 0)
      throw new CliError('at least one taint update is required');
    const selection = await loadTargets(context, {
      args: ['nodes', ...names],
      selector: flags.selector,
      all: flags.all,
    });
    let operation = 'tainted';
    await modifyTargets(context, selection, {
      flags,
      dryRun: dryRunOf(context, flags),
      fieldManager: flags['field-manager'],
      change(object, { name }) {
        const changed = retainted(object, name, changes, flags.overwrite);
        operation = changed.operation;
        return withValueAt(
          object,
          ['spec', 'taints'],
          changed.taints.length === 0 ? undefined : (changed.taints as unknown as JsonObject[]),
        );
      },
      operation: () => operation,
    });
    return 0;
  },
});

function changesOf(texts: readonly string[]): TaintChanges {
  const set: Taint[] = [];
  const remove: Taint[] = [];
  for (const text of texts) {
    const isRemoval = text.endsWith('-');
    const [pair = '', effect = '', ...rest] = (isRemoval ? text.slice(0, -1) : text).split(':');
    const [key = '', ...value] = pair.split('=');
    if (rest.length > 0 || key === '' || (!isRemoval && effect === ''))
      throw new CliError(`invalid taint spec: ${text}`);
    if (effect !== '' && !effects.has(effect))
      throw new CliError(`invalid taint effect: ${effect}, unsupported taint effect`);
    const one = { key, effect, ...(value.length === 0 || value.join('=') === '' ? {} : { value: value.join('=') }) };
    (isRemoval ? remove : set).push(one);
  }
  return { set, remove };
}

function retainted(
  node: JsonObject,
  name: string,
  { set, remove }: TaintChanges,
  overwrite: boolean,
): { readonly taints: readonly Taint[]; readonly operation: string } {
  const before = (valueAt(node, 'spec', 'taints') ?? []) as unknown as readonly Taint[];
  const same = (a: Taint, b: Taint): boolean =>
    a.key === b.key && (a.effect === b.effect || a.effect === '' || b.effect === '');
  const taken = set.filter((taint) => before.some((each) => same(each, taint)));
  if (taken.length > 0 && !overwrite) {
    throw new CliError(
      `node ${name} already has ${[...new Set(taken.map(({ key }) => key))].join(',')} taint(s) with same effect(s) and --overwrite is false`,
    );
  }
  for (const taint of remove) {
    if (!before.some((each) => same(each, taint))) {
      throw new CliError(
        `taint ${JSON.stringify(taint.effect === '' ? taint.key : `${taint.key}:${taint.effect}`)} not found`,
      );
    }
  }
  const kept = before.filter((each) => ![...remove, ...set].some((taint) => same(each, taint)));
  const operation = remove.length === 0 && taken.length === 0 ? 'tainted' : set.length === 0 ? 'untainted' : 'modified';
  return { taints: [...set, ...kept], operation };
}
