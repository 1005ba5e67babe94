import { parseLabelSelector } from '#machinery/label-parser.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { applyMergePatch } from '#machinery/patch/merge-patch.ts';
import { parseYaml } from '#machinery/yaml.ts';
import { CliError } from '../../failures.ts';
import { type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { createGenerated, generateFlags } from '../../manifests/generate.ts';
import { metadataOf, valueAt, withMetadata } from '../../manifests/objects.ts';
import { type LoadedTarget, loadTargets, visitTargets } from '../../manifests/targets.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

const { validate: _, ...commonFlags } = generateFlags;

const flags = {
  ...fileFlags,
  ...commonFlags,
  'cluster-ip': textFlag(
    "ClusterIP to be assigned to the service. Leave empty to auto-allocate, or set to 'None' to create a headless service.",
  ),
  'external-ip': textFlag('Additional external IP address (not managed by Kubernetes) to accept for the service.'),
  'field-manager': textFlagWith('kubectl-expose', 'Name of the manager used to track field ownership.'),
  labels: textFlag('Labels to apply to the service created by this call.', { short: 'l' }),
  'load-balancer-ip': textFlag('IP to assign to the LoadBalancer.'),
  name: textFlag('The name for the newly created object.'),
  overrides: textFlag('An inline JSON override for the generated object.'),
  'override-type': textFlagWith(
    'merge',
    'The method used to override the generated object: json, merge, or strategic.',
  ),
  port: textFlag('The port that the service should serve on. Copied from the resource being exposed, if unspecified'),
  protocol: textFlag("The network protocol for the service to be created. Default is 'TCP'."),
  selector: textFlag(
    'A label selector to use for this service. Only equality-based selector requirements are supported.',
  ),
  'session-affinity': textFlag(
    "If non-empty, set the session affinity for the service to this; legal values: 'None', 'ClientIP'",
  ),
  'target-port': textFlag('Name or number for the port on the container that the service should direct traffic to.'),
  type: textFlag('Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName.'),
} as const;

type ExposeFlags = FlagValues<typeof flags>;

const exposable = new Set(['Pod', 'Service', 'ReplicationController', 'Deployment', 'ReplicaSet']);

export const expose = defineVerb({
  name: 'expose',
  summary: 'Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service',
  usage:
    '(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]',
  examples: `
# A service on port 80 for port 8000 of a deployment's pods
kubectl expose deployment web --port=80 --target-port=8000`,
  flags,
  async run(context, values, args) {
    const selection = await loadTargets(context, { args, files: values });
    await visitTargets(selection, async (target) => {
      const service = serviceFor(target, values);
      const changed = values.overrides === undefined ? service : overridden(service, values.overrides);
      const placed =
        target.namespace === context.namespace() ? changed : withMetadata(changed, { namespace: target.namespace });
      await createGenerated(context, placed, {
        flags: values,
        fieldManager: values['field-manager'],
        operation: 'exposed',
        isPlain: true,
      });
    });
    return 0;
  },
});

/** The object with an inline patch over it. Throws CliError. */
export function overridden(object: JsonObject, overrides: string): JsonObject {
  try {
    return applyMergePatch(object, parseYaml(overrides)) as JsonObject;
  } catch (error) {
    throw new CliError(`Invalid JSON in --overrides: ${(error as Error).message}`);
  }
}

function serviceFor(target: LoadedTarget, flags: ExposeFlags): JsonObject {
  const { info, name: exposed, object } = target;
  if (!exposable.has(info.kind)) throw new CliError(`cannot expose a ${info.kind}`);
  const labels = flags.labels === undefined ? metadataOf(object).labels : pairsOf(flags.labels);
  const ports = portsOf(target, flags);
  const { 'cluster-ip': clusterIP, 'external-ip': externalIP, 'load-balancer-ip': loadBalancerIP } = flags;
  const { type, 'session-affinity': sessionAffinity } = flags;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: flags.name ?? exposed, ...(labels === undefined ? {} : { labels }) },
    spec: {
      ports,
      selector: selectorOf(target, flags),
      ...(type === undefined ? {} : { type }),
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(externalIP === undefined ? {} : { externalIPs: [externalIP] }),
      ...(loadBalancerIP === undefined ? {} : { loadBalancerIP }),
      ...(sessionAffinity === undefined ? {} : { sessionAffinity }),
    },
    status: { loadBalancer: {} },
  };
}

const pairsOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split(',').map((pair) => [pair.split('=')[0] ?? '', pair.split('=').slice(1).join('=')]));

function selectorOf({ info, object }: LoadedTarget, { selector }: ExposeFlags): Record<string, string> {
  if (selector !== undefined) {
    const { requirements } = parseLabelSelector(selector);
    return Object.fromEntries(requirements.map(({ key, values }) => [key, [...values][0] ?? '']));
  }
  if (info.kind === 'Pod') {
    const labels = metadataOf(object).labels;
    if (labels === undefined)
      throw new CliError(
        "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
      );
    return labels;
  }
  const own = valueAt(object, 'spec', 'selector') as JsonObject | undefined;
  const expressions = own?.['matchExpressions'];
  if (Array.isArray(expressions) && expressions.length > 0) {
    throw new CliError(
      `couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - "${JSON.stringify(expressions)}" to map-based selector format`,
    );
  }
  const pairs = info.kind === 'Service' || info.kind === 'ReplicationController' ? own : own?.['matchLabels'];
  if (pairs === undefined || Object.keys(pairs as object).length === 0) {
    throw new CliError("couldn't retrieve selectors via --selector flag or introspection: it selects nothing");
  }
  return pairs as Record<string, string>;
}

interface KnownPort {
  readonly port: number;
  readonly protocol: string;
}

/** Ports that the exposed object has already. */
function knownPorts({ info, object }: LoadedTarget): readonly KnownPort[] {
  type Ports = readonly { readonly containerPort?: number; readonly port?: number; readonly protocol?: string }[];
  const podSpec = info.kind === 'Pod' ? valueAt(object, 'spec') : valueAt(object, 'spec', 'template', 'spec');
  const containers = (valueAt(podSpec, 'containers') ?? []) as unknown as readonly { readonly ports?: Ports }[];
  const ports =
    info.kind === 'Service'
      ? ((valueAt(object, 'spec', 'ports') ?? []) as unknown as Ports)
      : containers.flatMap((container) => container.ports ?? []);
  return ports.map(({ containerPort, port, protocol }) => ({
    port: containerPort ?? port ?? 0,
    protocol: protocol ?? 'TCP',
  }));
}

function portsOf(target: LoadedTarget, flags: ExposeFlags): JsonObject[] {
  const known = knownPorts(target);
  const chosen = flags.port === undefined ? known.map(({ port }) => port) : flags.port.split(',').map(portNumber);
  if (chosen.length === 0) throw new CliError("couldn't find port via --port flag or introspection");
  const targetPort = flags['target-port'];
  return chosen.map((port, index) => ({
    ...(chosen.length > 1 ? { name: `port-${index + 1}` } : {}),
    port,
    protocol: flags.protocol ?? known.find((each) => each.port === port)?.protocol ?? 'TCP',
    targetPort: targetPort === undefined ? port : /^\d+$/.test(targetPort) ? Number(targetPort) : targetPort,
  }));
}

function portNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new CliError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
