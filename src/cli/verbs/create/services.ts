import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { integerFlag, listFlag, textFlag } from '../../flags.ts';
import { defineGenerator } from '../../manifests/generate.ts';
import { defineVerb } from '../../verb.ts';
import { below } from './generators.ts';

const tcpFlag = { tcp: listFlag("Port pairs can be specified as '<port>:<targetPort>'.") } as const;

/** `80:8080`, `80:http` or `80`. Throws CliError. */
function portOf(text: string): JsonObject {
  const [portText = '', targetText = portText] = text.split(':', 2);
  const port = numberOf(portText, text);
  const targetPort = /^\d+$/.test(targetText) ? numberOf(targetText, text) : targetText;
  return { name: text.replace(':', '-'), port, protocol: 'TCP', targetPort };
}

function numberOf(text: string, whole: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new CliError(`invalid port ${whole}: must be between 1 and 65535, inclusive`);
  }
  return port;
}

interface ServiceQuestion {
  readonly name: string;
  readonly type: string;
  readonly tcp: readonly string[];
  readonly nodePort?: number;
  readonly others?: JsonObject;
}

function serviceOf({ name, type, tcp, nodePort = 0, others = {} }: ServiceQuestion): JsonObject {
  const ports = tcp.map((text) => ({ ...portOf(text), ...(nodePort === 0 ? {} : { nodePort }) }));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: { type, selector: { app: name }, ...(ports.length === 0 ? {} : { ports }), ...others },
    status: { loadBalancer: {} },
  };
}

function requirePorts(tcp: readonly string[]): readonly string[] {
  if (tcp.length === 0) throw new CliError('at least one tcp port specifier must be provided');
  return tcp;
}

const clusterIp = defineGenerator({
  name: 'clusterip',
  summary: 'Create a ClusterIP service',
  usage: 'NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]',
  flags: {
    ...tcpFlag,
    clusterip: textFlag("Assign your own ClusterIP or set to 'None' for a 'headless' service (no loadbalancing)."),
  },
  build({ name, flags: { tcp, clusterip = '' } }) {
    const isHeadless = clusterip === 'None';
    const others = clusterip === '' ? {} : { clusterIP: clusterip };
    return serviceOf({ name, type: 'ClusterIP', tcp: isHeadless ? tcp : requirePorts(tcp), others });
  },
});

const nodePort = defineGenerator({
  name: 'nodeport',
  summary: 'Create a NodePort service',
  usage: 'NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
  flags: { ...tcpFlag, 'node-port': integerFlag(0, 'Port used to expose the service on each node in a cluster.') },
  build: ({ name, flags }) =>
    serviceOf({ name, type: 'NodePort', tcp: requirePorts(flags.tcp), nodePort: flags['node-port'] }),
});

const loadBalancer = defineGenerator({
  name: 'loadbalancer',
  summary: 'Create a LoadBalancer service',
  usage: 'NAME [--tcp=port:targetPort] [--dry-run=server|client|none]',
  flags: tcpFlag,
  build: ({ name, flags: { tcp } }) => serviceOf({ name, type: 'LoadBalancer', tcp: requirePorts(tcp) }),
});

const externalName = defineGenerator({
  name: 'externalname',
  summary: 'Create an ExternalName service',
  usage: 'NAME --external-name external.name [--dry-run=server|client|none]',
  flags: { ...tcpFlag, 'external-name': textFlag('External name of service') },
  build({ name, flags }) {
    const host = flags['external-name'];
    if (host === undefined) throw new CliError('required flag(s) "external-name" not set');
    return serviceOf({ name, type: 'ExternalName', tcp: flags.tcp, others: { externalName: host } });
  },
});

export const service = defineVerb({
  name: 'service',
  aliases: ['svc'],
  summary: 'Create a service using a specified subcommand',
  usage: '',
  flags: {},
  commands: below([clusterIp, externalName, loadBalancer, nodePort]),
});
