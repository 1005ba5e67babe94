import type { PolicyRule, Subject } from '#kinds/generated/types/rbac_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../../context.ts';
import { CliError } from '../../../failures.ts';
import { booleanFlag, type FlagValues } from '../../../flags.ts';
import { deleteTarget } from '../../../manifests/deletion.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from '../../../manifests/dry-run.ts';
import { withKind } from '../../../manifests/objects.ts';
import { createObject } from '../../../manifests/patches.ts';
import {
  hasFiles,
  type LoadedTarget,
  loadIfPresent,
  manifestTargets,
  targetPath,
  visitTargets,
} from '../../../manifests/targets.ts';
import { printFlags, resultPrinter } from '../../../output/printers.ts';
import { isNotFound } from '../../../resources/fetch.ts';
import { fileFlags } from '../../../resources/files.ts';
import { defineVerb } from '../../../verb.ts';
import { bindingDifference, type Difference, roleDifference } from './difference.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  ...dryRunFlags,
  'remove-extra-permissions': booleanFlag('If true, removes extra permissions added to roles'),
  'remove-extra-subjects': booleanFlag('If true, removes extra subjects added to rolebindings'),
} as const;

type ReconcileFlags = FlagValues<typeof flags>;

/** Runs that met another writer, and are begun again. */
const maximumAttempts = 3;

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#kubectl-auth-reconcile */
export const reconcile = defineVerb({
  name: 'reconcile',
  summary: 'Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects',
  usage: '-f FILENAME',
  about:
    'Makes roles grant, and bindings bind, at least what manifests say. Objects that are not there are created, with their namespace; what others granted or bound besides stays, unless it is to be removed. Knows which rules take in others, so it is better at these kinds than apply.',
  examples: `
# Reconcile roles and bindings
kubectl auth reconcile -f access.yaml`,
  flags,
  async run(context, values, args) {
    if (!hasFiles(values)) throw new CliError('must specify one of -f and -k');
    if (args.length > 0) throw new CliError('no arguments are allowed');
    const dryRun = dryRunOf(context, values);
    if (dryRun === 'server') throw new CliError('--dry-run=server for command reconcile is not supported yet');
    const print = await resultPrinter(values, 'reconciled', dryRunSuffix(dryRun));
    await visitTargets(await manifestTargets(context, values), async (target) => {
      const { group, version } = target.info;
      if (group !== 'rbac.authorization.k8s.io') return;
      if (version !== 'v1') {
        throw new CliError(`only rbac.authorization.k8s.io/v1 is supported: not ${group}/${version}`);
      }
      const { object, difference } = await reconcileOne(context, target, values, dryRun === 'client');
      context.out(print(withKind(object, target.info)));
      context.err(summary(difference, target, values));
    });
    return 0;
  },
});

type AnyDifference = Difference<object, PolicyRule | Subject>;

interface Reconciled {
  /** As the server has it now, or would have it. */
  readonly object: JsonObject;
  readonly difference: AnyDifference;
}

async function reconcileOne(
  context: CommandContext,
  target: LoadedTarget,
  values: ReconcileFlags,
  isDryRun: boolean,
): Promise<Reconciled> {
  for (let attempt = 1; ; attempt++) {
    const live = await loadIfPresent(context, target);
    const difference = differenceOf(target, live, values);
    const object = difference.result as object as JsonObject;
    if (isDryRun || difference.isProtected) return { object, difference };
    try {
      return { object: await take(context, { ...target, object }, difference), difference };
    } catch (error) {
      const isOvertaken = error instanceof ApiError && ['Conflict', 'AlreadyExists', 'NotFound'].includes(error.reason);
      if (!isOvertaken || attempt >= maximumAttempts) throw error;
    }
  }
}

function differenceOf({ info, object }: LoadedTarget, live: JsonObject | undefined, values: ReconcileFlags) {
  const [wanted, current] = [object as never, live as never];
  return info.kind.endsWith('Binding')
    ? bindingDifference(wanted, current, { removeExtra: values['remove-extra-subjects'] })
    : roleDifference(wanted, current, { removeExtra: values['remove-extra-permissions'] });
}

/** Makes the server's object the one that it shall be; resolves with it. */
async function take(context: CommandContext, target: LoadedTarget, { step }: AnyDifference): Promise<JsonObject> {
  switch (step) {
    case 'none':
      return target.object;
    case 'create':
      await ensureNamespace(context, target.namespace);
      return createObject(context, target, {});
    case 'update':
      return context.request({ method: 'PUT', path: targetPath(target), body: target.object });
    case 'recreate':
      await deleteTarget(context, target);
      return createObject(context, target, {});
  }
}

async function ensureNamespace(context: CommandContext, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  try {
    await context.request({ path: `/api/v1/namespaces/${name}` });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await context.request({ method: 'POST', path: '/api/v1/namespaces', body });
  }
}

function summary(difference: AnyDifference, { info }: LoadedTarget, values: ReconcileFlags): string {
  const { step, missing, extra, isProtected } = difference;
  if (step === 'none') return '';
  const isBinding = info.kind.endsWith('Binding');
  const [what, removes] = isBinding
    ? ['subjects', values['remove-extra-subjects']]
    : ['rules', values['remove-extra-permissions']];
  const caveat = isProtected ? ', but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)' : '';
  const list = (heading: string, parts: AnyDifference['missing']): string =>
    parts.length === 0 ? '' : `\t${heading}:\n${parts.map((part) => `\t\t${goText(part, isBinding)}\n`).join('')}`;
  return [
    `\treconciliation required ${step}${caveat}\n`,
    list(`missing ${what} added`, missing),
    removes ? list(`extra ${what} removed`, extra) : '',
  ].join('');
}

/** As Go prints the struct: `{Verbs:[get] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}`. */
function goText(part: PolicyRule | Subject, isSubject: boolean): string {
  if (isSubject) {
    const { kind, apiGroup = '', name, namespace = '' } = part as Subject;
    return `{Kind:${kind} APIGroup:${apiGroup} Name:${name} Namespace:${namespace}}`;
  }
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = part as PolicyRule;
  const list = (values: readonly string[] = []): string => `[${values.join(' ')}]`;
  return `{Verbs:${list(verbs)} APIGroups:${list(apiGroups)} Resources:${list(resources)} ResourceNames:${list(resourceNames)} NonResourceURLs:${list(nonResourceURLs)}}`;
}
