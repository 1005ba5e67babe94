import type { CertificateSigningRequest } from '#kinds/generated/types/certificates_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag } from '../../flags.ts';
import { withKind } from '../../manifests/objects.ts';
import { hasFiles, type LoadedTarget, loadTargets, targetPath, visitTargets } from '../../manifests/targets.ts';
import { printFlags, resultPrinter } from '../../output/printers.ts';
import { isNotFound } from '../../resources/fetch.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb, type Verb } from '../../verb.ts';

/** One of the two answers to a request for a certificate. */
export interface Decision {
  readonly name: 'approve' | 'deny';
  readonly summary: string;
  readonly about: string;
  readonly condition: 'Approved' | 'Denied';
  /** Whoever decided so before cannot be overruled: the API takes no such condition away. */
  readonly opposite: 'Approved' | 'Denied';
  readonly reason: string;
}

/** Updates that met somebody else's and are tried again. */
const maximumConflicts = 10;

export function decisionVerb(decision: Decision): Verb {
  const { name, summary, about, condition } = decision;
  const done = condition.toLowerCase();
  return defineVerb({
    name,
    summary,
    about,
    usage: '(-f FILENAME | NAME)',
    flags: {
      ...fileFlags,
      ...printFlags,
      force: booleanFlag(`Update the CSR even if it is already ${done}.`),
    },
    async run(context, flags, args) {
      if (args.length === 0 && !hasFiles(flags)) {
        throw new CliError('one or more CSRs must be specified as <name> or -f <filename>');
      }
      if (args.length > 0 && hasFiles(flags)) {
        throw new CliError('resource/name arguments cannot be provided when a path is specified');
      }
      const print = await resultPrinter(flags, done);
      const selection = await loadTargets(context, {
        args,
        files: flags,
        defaultType: 'certificatesigningrequests',
      });
      if (selection.targets.length === 0 && selection.problems.length === 0) context.out('No resources found\n');
      await visitTargets(selection, async (target) => {
        await decide(context, target, decision, { force: flags.force });
        context.out(print(withKind(target.object, target.info)));
      });
      return 0;
    },
  });
}

async function decide(
  context: CommandContext,
  target: LoadedTarget,
  decision: Decision,
  { force }: { readonly force: boolean },
): Promise<void> {
  const { kind, group } = target.info;
  if (kind !== 'CertificateSigningRequest' || group !== 'certificates.k8s.io') {
    throw new CliError(
      `can only handle CertificateSigningRequest.certificates.k8s.io objects, got ${kind}${group === '' ? '' : `.${group}`}`,
    );
  }
  for (let attempt = 0; ; attempt++) {
    const request = await currentOf(context, target);
    const decided = withDecision(request, decision, formatTime(context.clock.now()));
    if (decided === request && !force) return;
    try {
      await context.request({
        method: 'PUT',
        path: targetPath(target, 'approval'),
        body: decided,
      });
      return;
    } catch (error) {
      const isConflict = error instanceof ApiError && error.reason === 'Conflict';
      if (!isConflict || attempt >= maximumConflicts) throw error;
    }
  }
}

async function currentOf(context: CommandContext, target: LoadedTarget): Promise<CertificateSigningRequest> {
  try {
    return (await context.request({ path: targetPath(target) })) as unknown as CertificateSigningRequest;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CliError(`could not find v1 version of ${target.name}: ${(error as Error).message}`);
  }
}

/** The request with the decision among its conditions; the same value when it stands there already. */
function withDecision(
  request: CertificateSigningRequest,
  { condition, opposite, reason, name }: Decision,
  now: string,
): CertificateSigningRequest {
  const conditions = request.status?.conditions ?? [];
  if (conditions.some(({ type }) => type === opposite)) {
    throw new CliError(`certificate signing request ${JSON.stringify(request.metadata.name)} is already ${opposite}`);
  }
  if (conditions.some(({ type }) => type === condition)) return request;
  const added = {
    type: condition,
    status: 'True',
    reason,
    message: `This CSR was ${condition.toLowerCase()} by kubectl certificate ${name}.`,
    lastUpdateTime: now,
  };
  return { ...request, status: { ...request.status, conditions: [...conditions, added] } };
}
