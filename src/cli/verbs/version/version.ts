import type { JsonObject } from '#machinery/meta.ts';
import { releaseInfo } from '#machinery/version.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, textFlag } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';

/** Versions apart that are supported (https://kubernetes.io/releases/version-skew-policy/). */
const maximumSkew = 1;

/** The version of kubectl that this one behaves as. */
const clientVersion = releaseInfo(process.platform, process.arch);
/** The kustomize that it builds as. */
const kustomizeVersion = 'v5.8.1';

export const version = defineVerb({
  name: 'version',
  summary: 'Print the client and server version information',
  about: 'Print the client and server version information for the current context.',
  usage: '[flags]',
  flags: {
    client: booleanFlag('If true, shows client version only (no server required).'),
    output: textFlag("One of 'yaml' or 'json'.", { short: 'o' }),
  },
  async run(context, flags) {
    const { output = '' } = flags;
    if (!['', 'json', 'yaml'].includes(output)) throw new CliError(`--output must be 'yaml' or 'json'`);
    let serverVersion: JsonObject | undefined;
    let failure: unknown;
    if (!flags.client) {
      try {
        serverVersion = await context.request({ path: '/version' });
      } catch (error) {
        failure = error;
      }
    }
    const both: JsonObject = {
      clientVersion,
      kustomizeVersion,
      ...(serverVersion === undefined ? {} : { serverVersion }),
    };
    if (output === 'json') context.out(`${JSON.stringify(both, null, 2)}\n`);
    else if (output === 'yaml') context.out(dumpYaml(both));
    else {
      context.out(`Client Version: ${clientVersion.gitVersion}\nKustomize Version: ${kustomizeVersion}\n`);
      if (serverVersion !== undefined) context.out(`Server Version: ${String(serverVersion['gitVersion'])}\n`);
    }
    if (failure !== undefined) throw failure;
    if (serverVersion !== undefined) warnOfSkew(context.err, serverVersion);
    return 0;
  },
});

function warnOfSkew(err: (text: string) => void, server: JsonObject): void {
  const minor = Number.parseInt(String(server['minor']), 10);
  if (Number.isNaN(minor) || Math.abs(minor - Number(clientVersion.minor)) <= maximumSkew) return;
  err(
    `Warning: version difference between client (1.36) and server (${String(server['major'])}.${minor}) exceeds the supported minor version skew of +/-${maximumSkew}\n`,
  );
}
