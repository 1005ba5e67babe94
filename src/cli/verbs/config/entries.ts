import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, UsageError } from '../../failures.ts';
import { arrayFlag, booleanFlag, type FlagValues, listFlag, textFlag } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';
import { entriesOf, fileFor, readConfigFile, type Section, withEntry, writeConfigFile } from './files.ts';

/** What a command line says about an entry: values to set, and keys that those displace. */
interface Change {
  readonly set: JsonObject;
  readonly drop: readonly string[];
}

function change(context: CommandContext, section: Section, name: string, { set, drop }: Change): void {
  const path = fileFor(context, (config) => entriesOf(config, section).some((entry) => entry.name === name));
  const config = readConfigFile(path);
  const known = entriesOf(config, section).find((entry) => entry.name === name)?.content ?? {};
  const kept = Object.fromEntries(Object.entries(known).filter(([key]) => !drop.includes(key)));
  writeConfigFile(path, withEntry(config, section, { name, content: { ...kept, ...set } }));
}

/** A file by its path, or by its bytes with `--embed-certs`. */
function fileChange(key: string, path: string | undefined, embed: boolean): Change {
  if (path === undefined) return { set: {}, drop: [] };
  if (path === '') return { set: {}, drop: [key, `${key}-data`] };
  if (!embed) return { set: { [key]: resolve(path) }, drop: [`${key}-data`] };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new CliError(`could not read ${key} data from ${path}: open ${path}: no such file or directory`);
  }
  return { set: { [`${key}-data`]: bytes.toString('base64') }, drop: [key] };
}

const joined = (changes: readonly Change[]): Change => ({
  set: Object.assign({}, ...changes.map(({ set }) => set)) as JsonObject,
  drop: changes.flatMap(({ drop }) => drop),
});

const valueChange = (key: string, value: string | boolean | undefined): Change =>
  value === undefined
    ? { set: {}, drop: [] }
    : value === '' || value === false
      ? { set: {}, drop: [key] }
      : { set: { [key]: value }, drop: [] };

const setCluster = defineVerb({
  name: 'set-cluster',
  summary: 'Set a cluster entry in kubeconfig',
  usage:
    'NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]',
  flags: {
    'embed-certs': booleanFlag('embed-certs for the cluster entry in kubeconfig'),
    'proxy-url': textFlag('proxy-url for the cluster entry in kubeconfig'),
  },
  run: async (context, flags, args) => {
    const [name] = args;
    if (name === undefined || args.length > 1) throw new UsageError(`Unexpected args: [${args.join(' ')}]`);
    const { globals, changed } = context;
    const insecure = changed.has('insecure-skip-tls-verify') ? globals['insecure-skip-tls-verify'] : undefined;
    if (insecure === true && globals['certificate-authority'] !== undefined) {
      throw new CliError('you cannot specify a certificate authority and insecure mode at the same time');
    }
    change(
      context,
      'clusters',
      name,
      joined([
        valueChange('server', globals.server),
        valueChange('insecure-skip-tls-verify', insecure),
        valueChange('tls-server-name', globals['tls-server-name']),
        valueChange('proxy-url', flags['proxy-url']),
        fileChange('certificate-authority', globals['certificate-authority'], flags['embed-certs']),
        insecure === true
          ? { set: {}, drop: ['certificate-authority', 'certificate-authority-data'] }
          : { set: {}, drop: [] },
      ]),
    );
    context.out(`Cluster "${name}" set.\n`);
    return 0;
  },
});

const credentialFlags = {
  'auth-provider': textFlag('Auth provider for the user entry in kubeconfig'),
  'auth-provider-arg': listFlag("'key=value' arguments for the auth provider"),
  'embed-certs': booleanFlag('Embed client cert/key for the user entry in kubeconfig'),
  'exec-api-version': textFlag('API version of the exec credential plugin for the user entry in kubeconfig'),
  'exec-arg': arrayFlag('New arguments for the exec credential plugin command for the user entry in kubeconfig'),
  'exec-command': textFlag('Command for the exec credential plugin for the user entry in kubeconfig'),
  'exec-env': arrayFlag("'key=value' environment values for the exec credential plugin"),
  'exec-interactive-mode': textFlag(
    'InteractiveMode of the exec credentials plugin for the user entry in kubeconfig (IfAvailable, Never or Always)',
  ),
  'exec-provide-cluster-info': booleanFlag(
    'ProvideClusterInfo of the exec credentials plugin for the user entry in kubeconfig',
  ),
} as const;

type CredentialFlags = FlagValues<typeof credentialFlags>;

function execChange(flags: CredentialFlags): Change {
  const { 'exec-command': command, 'exec-interactive-mode': mode = 'IfAvailable' } = flags;
  if (!['IfAvailable', 'Never', 'Always'].includes(mode)) {
    throw new CliError('invalid interactive mode type, can be only IfAvailable, Never, Always');
  }
  if (command === undefined) return { set: {}, drop: [] };
  const exec: JsonObject = {
    apiVersion: flags['exec-api-version'] ?? 'client.authentication.k8s.io/v1',
    command,
    args: flags['exec-arg'],
    env: flags['exec-env'].map((pair) => {
      const equals = pair.indexOf('=');
      return { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
    }),
    interactiveMode: mode,
    ...(flags['exec-provide-cluster-info'] ? { provideClusterInfo: true } : {}),
  };
  return { set: { exec }, drop: [] };
}

function providerChange({ 'auth-provider': name, 'auth-provider-arg': pairs }: CredentialFlags): Change {
  if (name === undefined) return { set: {}, drop: [] };
  const config = Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', ...rest] = pair.split('=');
      return [key, rest.join('=')];
    }),
  );
  return { set: { 'auth-provider': { config, name } }, drop: [] };
}

const setCredentials = defineVerb({
  name: 'set-credentials',
  summary: 'Set a user entry in kubeconfig',
  usage:
    'NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]',
  flags: credentialFlags,
  run: async (context, flags, args) => {
    const [name] = args;
    if (name === undefined || args.length > 1) throw new UsageError(`Unexpected args: [${args.join(' ')}]`);
    const { globals } = context;
    if ((globals.token ?? '') !== '' && (globals.username ?? globals.password ?? '') !== '') {
      throw new CliError(
        'you cannot specify more than one authentication method at the same time: [--token --username/--password]',
      );
    }
    change(
      context,
      'users',
      name,
      joined([
        fileChange('client-certificate', globals['client-certificate'], flags['embed-certs']),
        fileChange('client-key', globals['client-key'], flags['embed-certs']),
        valueChange('token', globals.token),
        valueChange('username', globals.username),
        valueChange('password', globals.password),
        execChange(flags),
        providerChange(flags),
      ]),
    );
    context.out(`User "${name}" set.\n`);
    return 0;
  },
});

export const entryCommands = [setCluster, setCredentials];
