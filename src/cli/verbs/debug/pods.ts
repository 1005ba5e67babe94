import type { Container, Pod, PodSpec } from '#kinds/generated/types/core_v1.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { applyStrategicPatch } from '#machinery/patch/strategic-patch.ts';
import { CliError } from '../../failures.ts';
import type { DebugFlags } from './debug.ts';
import { withProfile } from './profiles.ts';

export interface DebugQuestion {
  /** Of the container that looks around. */
  readonly name: string;
  readonly command: readonly string[];
  readonly flags: DebugFlags;
  /** What `--custom` says of the container. */
  readonly custom: JsonObject | undefined;
}

/** The ephemeral container that joins a pod. */
export function debugContainer(pod: Pod, question: DebugQuestion): JsonObject {
  const { target } = question.flags;
  const container = {
    ...newContainer(question),
    ...(target === undefined ? {} : { targetContainerName: target }),
  } as unknown as Container;
  const spec = pod.spec as PodSpec;
  const added = { ...pod, spec: { ...spec, ephemeralContainers: [container] } } as Pod;
  const profiled = withProfile(added, question.name, 'ephemeral', question.flags);
  return customized(profiled.spec?.ephemeralContainers?.[0] as unknown as JsonObject, question);
}

function newContainer({ name, command, flags }: DebugQuestion): JsonObject {
  const { image, stdin, tty, env, 'image-pull-policy': imagePullPolicy } = flags;
  const args = flags['arguments-only'] ? { args: command } : { command };
  return {
    name,
    image,
    ...(command.length === 0 ? {} : args),
    ...(env.length === 0 ? {} : { env: env.map(variableOf) }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(stdin ? { stdin: true } : {}),
    ...(tty ? { tty: true } : {}),
    terminationMessagePolicy: 'File',
    resources: {},
  };
}

function variableOf(pair: string): { readonly name: string; readonly value: string } {
  const equals = pair.indexOf('=');
  if (equals < 0) throw new CliError(`${pair} must be formatted as key=value`);
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
}

/** The container with the changes of a file. Throws CliError for those that a file may not make. */
function customized(container: JsonObject, { name, custom }: DebugQuestion): JsonObject {
  if (custom === undefined) return container;
  const fixed = ['name', 'command', 'image', 'lifecycle', 'volumeDevices'];
  if (fixed.some((field) => custom[field] !== undefined)) {
    throw new CliError('name, command, image, lifecycle and volume devices are not modifiable via custom profile');
  }
  return applyStrategicPatch(container, { ...custom, name }, schemaNamed('core.v1.Container'));
}

/** The pod with one of its containers as a file would have it. */
function withCustom(pod: Pod, question: DebugQuestion): Pod {
  const containers = (pod.spec?.containers ?? []).map((container) =>
    container.name === question.name
      ? (customized(container as unknown as JsonObject, question) as unknown as Container)
      : container,
  );
  return { ...pod, spec: { ...pod.spec, containers } };
}

/** A pod on a node, in the node's namespaces where the profile says so. */
export function nodePod(node: string, question: DebugQuestion, suffix: string): Pod {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `node-debugger-${node}-${suffix}`, labels: { 'app.kubernetes.io/managed-by': 'kubectl-debug' } },
    spec: {
      containers: [newContainer(question)],
      nodeName: node,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
    },
  } as unknown as Pod;
  return withCustom(withProfile(pod, question.name, 'node', question.flags), question);
}

/** A copy of a pod, with a container more or one of its own changed. */
export interface PodCopy {
  readonly pod: Pod;
  /** The container to join; undefined when only images were changed. */
  readonly container: string | undefined;
}

export function copyOf(original: Pod, copyName: string, question: DebugQuestion, shares: boolean | undefined): PodCopy {
  const { flags } = question;
  const { namespace, annotations, labels } = original.metadata;
  const { ephemeralContainers: _, nodeName, ...spec } = original.spec as PodSpec;
  const containers = withImages(spec.containers, flags['set-image']);
  const copy = (list: readonly Container[]): Pod =>
    ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: copyName,
        namespace,
        ...(annotations === undefined ? {} : { annotations }),
        ...(labels === undefined ? {} : { labels }),
      },
      spec: {
        ...spec,
        containers: list,
        ...(flags['same-node'] && nodeName !== undefined ? { nodeName } : {}),
        ...(shares === undefined ? {} : { shareProcessNamespace: shares }),
      },
    }) as Pod;
  const isThere = containers.some(({ name }) => name === question.name);
  if (!isThere && flags.image === undefined) {
    if (flags['set-image'].length > 0) return { pod: copy(containers), container: undefined };
    throw new CliError('you must specify image when creating new container');
  }
  const changed = isThere
    ? containers.map((each) => (each.name === question.name ? changedContainer(each, question) : each))
    : [...containers, newContainer(question) as unknown as Container];
  const pod = withCustom(withProfile(copy(changed), question.name, 'copy', flags), question);
  return { pod, container: question.name };
}

function withImages(containers: readonly Container[], pairs: readonly string[]): readonly Container[] {
  const images = new Map(pairs.map((pair) => [pair.split('=')[0] ?? '', pair.split('=').slice(1).join('=')]));
  return containers.map((container) => {
    const image = images.get(container.name) ?? images.get('*');
    return image === undefined ? container : { ...container, image };
  });
}

function changedContainer(container: Container, question: DebugQuestion): Container {
  const { command, flags } = question;
  const { args, stdin: _, tty: __, ...rest } = container;
  const { name: ___, resources: ____, terminationMessagePolicy: _____, image, ...given } = newContainer(question);
  const keepsArgs = (command.length === 0 || flags['arguments-only']) && args !== undefined;
  return {
    ...rest,
    ...(keepsArgs ? { args } : {}),
    ...(given as Partial<Container>),
    ...(image === undefined ? {} : { image: image as string }),
  };
}
