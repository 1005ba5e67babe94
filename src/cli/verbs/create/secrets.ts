import { readFileSync } from 'node:fs';
import { keyPairProblem } from '#client/http/key-pair.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, booleanFlag, textFlagWith } from '../../flags.ts';
import { defineGenerator } from '../../manifests/generate.ts';
import { goJson } from '../../manifests/objects.ts';
import { defineVerb } from '../../verb.ts';
import { sourceFlags, withHash } from './config-map.ts';
import { dataSources } from './data-sources.ts';
import { below } from './generators.ts';

interface SecretQuestion {
  readonly name: string;
  readonly type: string;
  readonly data: ReadonlyMap<string, Buffer>;
  readonly appendsHash: boolean;
}

function secretOf({ name, type, data, appendsHash }: SecretQuestion): JsonObject {
  const encoded = Object.fromEntries([...data].map(([key, bytes]) => [key, bytes.toString('base64')]));
  const secret: JsonObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    ...(data.size === 0 ? {} : { data: encoded }),
    ...(type === '' ? {} : { type }),
  };
  return appendsHash ? withHash(secret, { data: data.size === 0 ? '' : encoded, kind: 'Secret', name, type }) : secret;
}

const generic = defineGenerator({
  name: 'generic',
  summary: 'Create a secret from a local file, directory, or literal value',
  usage: 'NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]',
  flags: { ...sourceFlags, type: textFlagWith('', 'The type of secret to create') },
  build: ({ name, flags }) =>
    secretOf({
      name,
      type: flags.type,
      data: dataSources(flags, `Secret ${JSON.stringify(name)}`),
      appendsHash: flags['append-hash'],
    }),
});

const hashFlag = { 'append-hash': booleanFlag('Append a hash of the secret to its name.') } as const;

const tls = defineGenerator({
  name: 'tls',
  summary: 'Create a TLS secret',
  usage: 'NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]',
  flags: {
    ...hashFlag,
    cert: textFlagWith('', 'Path to PEM encoded public key certificate.'),
    key: textFlagWith('', 'Path to private key associated with given certificate.'),
  },
  build({ name, flags }) {
    const { cert, key } = flags;
    if (cert === '' || key === '') throw new CliError('key and cert must be specified');
    const pair = { cert: readPem(cert), key: readPem(key) };
    const problem = keyPairProblem(pair.cert.toString(), pair.key.toString());
    if (problem !== undefined) throw new CliError(problem);
    const data = new Map([
      ['tls.crt', pair.cert],
      ['tls.key', pair.key],
    ]);
    return secretOf({ name, type: 'kubernetes.io/tls', data, appendsHash: flags['append-hash'] });
  },
});

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new CliError(`Cannot read file ${path}, open ${path}: no such file or directory`);
  }
}

const dockerRegistry = defineGenerator({
  name: 'docker-registry',
  summary: 'Create a secret for use with a Docker registry',
  usage:
    'NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]',
  flags: {
    ...hashFlag,
    'docker-email': textFlagWith('', 'Email for Docker registry'),
    'docker-password': textFlagWith('', 'Password for Docker registry authentication'),
    'docker-server': textFlagWith('https://index.docker.io/v1/', 'Server location for Docker registry'),
    'docker-username': textFlagWith('', 'Username for Docker registry authentication'),
    'from-file': arrayFlag('Key files can be specified using their file path.'),
  },
  build({ name, flags }) {
    const { 'docker-username': username, 'docker-password': password, 'docker-server': server } = flags;
    const type = 'kubernetes.io/dockerconfigjson';
    const appendsHash = flags['append-hash'];
    const files = flags['from-file'];
    if (files.length > 0) {
      const named = files.map((path) => (path.includes('=') ? path : `.dockerconfigjson=${path}`));
      const data = dataSources(
        { 'from-file': named, 'from-literal': [], 'from-env-file': [] },
        `Secret ${JSON.stringify(name)}`,
      );
      return secretOf({ name, type, data, appendsHash });
    }
    if (username === '' || password === '' || server === '') {
      throw new CliError(
        'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
      );
    }
    const email = flags['docker-email'];
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    // Written in the order that Docker's own client uses.
    const entry = `{"username":${goJson(username)},"password":${goJson(password)}${email === '' ? '' : `,"email":${goJson(email)}`},"auth":"${auth}"}`;
    const data = new Map([['.dockerconfigjson', Buffer.from(`{"auths":{${goJson(server)}:${entry}}}`)]]);
    return secretOf({ name, type, data, appendsHash });
  },
});

export const secret = defineVerb({
  name: 'secret',
  summary: 'Create a secret using a specified subcommand',
  about:
    'Create a secret: docker-registry for the credentials of a registry, generic for anything, tls for a certificate and its key.',
  usage: '(docker-registry | generic | tls)',
  flags: {},
  commands: below([dockerRegistry, generic, tls]),
});
