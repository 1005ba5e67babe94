import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import type { DebugFlags } from './debug.ts';

export interface DebugQuestion {
  readonly name: string;
  readonly command: readonly string[];
  readonly flags: DebugFlags;
}

/** The container that looks around. */
export function debugContainer({ name, command, flags }: DebugQuestion): JsonObject {
  const { image, stdin, tty, target, profile, env, 'image-pull-policy': imagePullPolicy } = flags;
  const variables = env.map((pair) => ({ name: pair.split('=')[0] ?? '', value: pair.split('=').slice(1).join('=') }));
  return {
    name,
    image,
    ...(command.length === 0 ? {} : { command }),
    ...(variables.length === 0 ? {} : { env: variables }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(stdin ? { stdin: true } : {}),
    ...(tty ? { tty: true } : {}),
    ...(target === undefined ? {} : { targetContainerName: target }),
    ...securityOf(profile),
    terminationMessagePolicy: 'File',
    resources: {},
  };
}

/** What the profiles of KEP-1441 allow the container. */
function securityOf(profile: string): { readonly securityContext?: JsonObject } {
  switch (profile) {
    case 'general':
      return { securityContext: { capabilities: { add: ['SYS_PTRACE'] } } };
    case 'netadmin':
      return { securityContext: { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } } };
    case 'sysadmin':
      return { securityContext: { privileged: true } };
    case 'restricted':
      return {
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        },
      };
    case 'legacy':
    case 'baseline':
      return {};
    default:
      throw new CliError(`unknown profile: ${profile}`);
  }
}

/** A pod in the namespaces of a node, with the node's files under /host. */
export function nodePod(node: string, question: DebugQuestion, suffix: string): JsonObject {
  const {
    targetContainerName: _,
    securityContext: __,
    ...container
  } = debugContainer({ ...question, name: 'debugger' });
  const isPrivileged = question.flags.profile === 'sysadmin';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `node-debugger-${node}-${suffix}`, labels: { 'app.kubernetes.io/managed-by': 'kubectl-debug' } },
    spec: {
      containers: [
        {
          ...container,
          ...(isPrivileged ? { securityContext: { privileged: true } } : {}),
          volumeMounts: [{ mountPath: '/host', name: 'host-root' }],
        },
      ],
      hostIPC: true,
      hostNetwork: true,
      hostPID: true,
      nodeName: node,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      volumes: [{ name: 'host-root', hostPath: { path: '/' } }],
    },
  };
}

/** The pod under another name, without probes that would end it while somebody looks. */
export function copyOf(object: JsonObject, name: string, question: DebugQuestion): JsonObject {
  const { metadata, spec } = object as unknown as Pod;
  const { flags, command } = question;
  if (spec === undefined) throw new CliError('the pod has no spec');
  const images = new Map(flags['set-image'].map((pair) => [pair.split('=')[0], pair.split('=').slice(1).join('=')]));
  const all = images.get('*');
  const containers = spec.containers.map(
    ({ livenessProbe: _, readinessProbe: __, startupProbe: ___, ...container }) => {
      const image = images.get(container.name) ?? all ?? container.image;
      const isChosen = flags.image === undefined || container.name === flags.container;
      const changes = isChosen && command.length > 0 ? { command, args: [] } : {};
      return { ...container, image, ...changes } as Container;
    },
  );
  const added =
    flags.image === undefined || spec.containers.some((each) => each.name === flags.container)
      ? []
      : [debugContainer(question)];
  const { nodeName, ephemeralContainers: _, ...rest } = spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }) },
    spec: {
      ...rest,
      containers: [...containers, ...added],
      ...(flags['same-node'] && nodeName !== undefined ? { nodeName } : {}),
      ...(flags['share-processes'] ? { shareProcessNamespace: true } : {}),
    } as unknown as JsonObject,
  };
}
