import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, textFlagWith } from '../../flags.ts';
import { defineGenerator } from '../../manifests/generate.ts';

/** HOST/PATH[*]=SERVICE:PORT[,tls[=SECRET]] */
const rulePattern = /^([^/]*)(\/[^=]*)=([^:]+):([^,]+)(,tls(?:=(.*))?)?$/;

interface IngressRule {
  readonly host: string;
  readonly path: JsonObject;
  readonly usesTls: boolean;
  readonly secretName: string;
}

export const ingress = defineGenerator({
  name: 'ingress',
  aliases: ['ing'],
  summary: 'Create an ingress with the specified name',
  usage: 'NAME --rule=host/path=service:port[,tls[=secret]]',
  flags: {
    annotation: arrayFlag('Annotation to insert in the ingress object, in the format annotation=value'),
    class: textFlagWith('', 'Ingress Class to be used'),
    'default-backend': textFlagWith('', 'Default service for backend, in format of svcname:port'),
    rule: arrayFlag(
      "Rule in format host/path=service:port[,tls=secretname]. Paths containing the leading character '*' are considered pathType=Prefix. tls argument is optional.",
    ),
  },
  build({ name, flags }) {
    const { annotation, rule: texts, class: className, 'default-backend': backend } = flags;
    if (texts.length === 0 && backend === '') {
      throw new CliError(
        'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
      );
    }
    const rules = texts.map(ruleOf);
    const annotations = Object.fromEntries(annotation.map((text) => pairOf(text)));
    const tls = tlsOf(rules);
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, ...(annotation.length === 0 ? {} : { annotations }) },
      spec: {
        ...(backend === '' ? {} : { defaultBackend: backendOf(...splitBackend(backend)) }),
        ...(className === '' ? {} : { ingressClassName: className }),
        ...(rules.length === 0 ? {} : { rules: byHost(rules) }),
        ...(tls.length === 0 ? {} : { tls }),
      },
      status: { loadBalancer: {} },
    };
  },
});

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new CliError(`annotation ${text} is invalid and should be in format key=[value]`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function splitBackend(text: string): readonly [string, string] {
  const [service = '', port = '', ...rest] = text.split(':');
  if (service === '' || port === '' || rest.length > 0) {
    throw new CliError('default-backend should be in format servicename:serviceport');
  }
  return [service, port];
}

const backendOf = (name: string, port: string): JsonObject => ({
  service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } },
});

function ruleOf(text: string): IngressRule {
  const match = rulePattern.exec(text);
  if (match === null) {
    throw new CliError(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  }
  const [, host = '', path = '', service = '', port = '', tls, secretName = ''] = match;
  const isPrefix = path.endsWith('*');
  return {
    host,
    path: {
      backend: backendOf(service, port),
      path: isPrefix ? path.slice(0, -1) : path,
      pathType: isPrefix ? 'Prefix' : 'Exact',
    },
    usesTls: tls !== undefined,
    secretName,
  };
}

/** Paths of one host stand together, in the order that hosts are named. */
function byHost(rules: readonly IngressRule[]): JsonObject[] {
  const hosts = [...new Set(rules.map(({ host }) => host))];
  return hosts.map((host) => ({
    ...(host === '' ? {} : { host }),
    http: { paths: rules.filter((rule) => rule.host === host).map(({ path }) => path) },
  }));
}

/** A host is secured once: by the first of its rules that says how. */
function tlsOf(rules: readonly IngressRule[]): JsonObject[] {
  const hostsOf = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { host, usesTls, secretName } of rules) {
    if (!usesTls || seen.has(host)) continue;
    seen.add(host);
    hostsOf.set(secretName, [...(hostsOf.get(secretName) ?? []), ...(host === '' ? [] : [host])]);
  }
  return [...hostsOf].map(([secretName, hosts]) => ({
    ...(hosts.length === 0 ? {} : { hosts }),
    ...(secretName === '' ? {} : { secretName }),
  }));
}
