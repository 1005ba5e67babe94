import type { JsonObject } from '#machinery/meta.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import { defineVerb, entryOf } from '../../verb.ts';
import { dump } from './dump.ts';

export const clusterInfo = defineVerb({
  name: 'cluster-info',
  summary: 'Display cluster information',
  about: 'Display addresses of the control plane and services with label kubernetes.io/cluster-service=true.',
  usage: '[flags]',
  flags: {},
  commands: [entryOf(dump)],
  async run(context) {
    const mapper = await context.mapper();
    const services = await fetchObjects(context, {
      info: mapper.resource('services'),
      namespace: context.globals.namespace ?? 'kube-system',
      labelSelector: 'kubernetes.io/cluster-service=true',
    });
    const { server } = context.kubeconfig().client;
    context.out(sentence('Kubernetes control plane', server, context.io.stdout.isTTY === true));
    for (const service of services) {
      context.out(sentence(nameOf(service), addressOf(service, server), context.io.stdout.isTTY === true));
    }
    context.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    return 0;
  },
});

function sentence(what: string, where: string, isTerminal: boolean): string {
  const colour = (code: number, text: string): string => (isTerminal ? `\u001b[0;${code}m${text}\u001b[0m` : text);
  return `${colour(32, what)} is running at ${colour(33, where)}\n`;
}

interface ServiceLike {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly ports?: readonly { readonly name?: string; readonly port: number }[] };
}

function nameOf(object: JsonObject): string {
  const { metadata } = object as unknown as ServiceLike;
  return metadata.labels?.['kubernetes.io/name'] ?? metadata.name;
}

/** Through the API server's proxy, which every client can reach. */
function addressOf(object: JsonObject, server: string): string {
  const { metadata, spec } = object as unknown as ServiceLike;
  const port = spec.ports?.[0];
  const scheme = port?.name === 'https' || port?.port === 443 ? 'https:' : '';
  const suffix = port?.name === undefined || port.name === '' ? (scheme === '' ? '' : ':') : `:${port.name}`;
  return `${server}/api/v1/namespaces/${metadata.namespace}/services/${scheme}${metadata.name}${suffix}/proxy`;
}
