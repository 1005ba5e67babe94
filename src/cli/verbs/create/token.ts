import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError, UsageError } from '../../failures.ts';
import { arrayFlag, durationFlag, textFlagWith } from '../../flags.ts';
import { valueAt, withKind } from '../../manifests/objects.ts';
import { objectPrinter, printFlags } from '../../output/printers.ts';
import { defineVerb } from '../../verb.ts';

const boundKinds: Readonly<Record<string, string>> = { Pod: 'v1', Secret: 'v1', Node: 'v1' };

export const token = defineVerb({
  name: 'token',
  summary: 'Request a service account token',
  usage: 'SERVICE_ACCOUNT_NAME',
  flags: {
    ...printFlags,
    audience: arrayFlag(
      'Audience of the requested token. If unset, defaults to requesting a token for use with the Kubernetes API server. May be repeated to request a token valid for multiple audiences.',
    ),
    'bound-object-kind': textFlagWith(
      '',
      'Kind of an object to bind the token to. Supported kinds are Node, Pod, Secret.',
    ),
    'bound-object-name': textFlagWith('', 'Name of an object to bind the token to.'),
    'bound-object-uid': textFlagWith('', 'UID of an object to bind the token to.'),
    duration: durationFlag(
      0,
      'Requested lifetime of the issued token. If not set or if set to 0, the lifetime will be determined by the server automatically.',
    ),
  },
  async run(context, flags, args) {
    const [name] = args;
    if (name === undefined || args.length !== 1)
      throw new UsageError(`exactly one NAME is required, got ${args.length}`);
    const { duration, audience: audiences } = flags;
    if (duration < 0) throw new CliError('--duration must be greater than or equal to 0');
    if (duration % 1000 !== 0) throw new CliError('--duration cannot be expressed in units less than seconds');
    const kind = flags['bound-object-kind'];
    const apiVersion = boundKinds[kind];
    if (kind !== '' && apiVersion === undefined)
      throw new CliError('supported --bound-object-kind values are Node, Pod, Secret');
    if (kind !== '' && flags['bound-object-name'] === '')
      throw new CliError('--bound-object-name is required if --bound-object-kind is provided');
    const uid = flags['bound-object-uid'];
    const print = await objectPrinter(flags);
    const body: JsonObject = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences,
        ...(duration === 0 ? {} : { expirationSeconds: duration / 1000 }),
        ...(kind === ''
          ? {}
          : { boundObjectRef: { kind, apiVersion, name: flags['bound-object-name'], ...(uid === '' ? {} : { uid }) } }),
      },
    };
    const path = `/api/v1/namespaces/${context.namespace()}/serviceaccounts/${encodeURIComponent(name)}/token`;
    let answer: JsonObject;
    try {
      answer = await context.request({ method: 'POST', path, body });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new CliError(`failed to create token: ${error.message}`);
    }
    const request = withKind(answer, { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' });
    context.out(print === undefined ? `${String(valueAt(answer, 'status', 'token'))}\n` : print(request));
    return 0;
  },
});
