import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';

export interface PodQuestion {
  readonly name: string;
  readonly words: readonly string[];
  readonly flags: {
    readonly image: string | undefined;
    readonly command: boolean;
    readonly env: readonly string[];
    readonly port: string | undefined;
    readonly labels: string | undefined;
    readonly annotations: readonly string[];
    readonly restart: string;
    readonly privileged: boolean;
    readonly stdin: boolean;
    readonly tty: boolean;
    readonly 'image-pull-policy': string | undefined;
    readonly 'leave-stdin-open': boolean;
  };
}

/** The pod of `kubectl run`. Throws CliError. */
export function podOf({ name, words, flags }: PodQuestion): JsonObject {
  const { image, restart, 'image-pull-policy': imagePullPolicy } = flags;
  if (!['Always', 'OnFailure', 'Never'].includes(restart)) throw new CliError(`invalid restart policy: ${restart}`);
  const container = {
    name,
    image,
    ...(words.length === 0 ? {} : flags.command ? { command: words } : { args: words }),
    ...(flags.env.length === 0 ? {} : { env: flags.env.map(variableOf) }),
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ...(flags.port === undefined ? {} : { ports: [{ containerPort: portOf(flags.port) }] }),
    ...(flags.privileged ? { securityContext: { privileged: true } } : {}),
    ...(flags.stdin ? { stdin: true } : {}),
    ...(flags.stdin && !flags['leave-stdin-open'] ? { stdinOnce: true } : {}),
    ...(flags.tty ? { tty: true } : {}),
    resources: {},
  };
  const annotations = Object.fromEntries(flags.annotations.map(pairOf));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: labelsOf(name, flags.labels),
      ...(flags.annotations.length === 0 ? {} : { annotations }),
    },
    spec: { containers: [container], dnsPolicy: 'ClusterFirst', restartPolicy: restart },
    status: {},
  };
}

function portOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new CliError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new CliError(`unexpected label spec: ${text}`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function variableOf(text: string): JsonObject {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new CliError(`invalid env: ${text}`);
  const value = text.slice(equals + 1);
  return { name: text.slice(0, equals), ...(value === '' ? {} : { value }) };
}

function labelsOf(name: string, labels: string | undefined): JsonObject {
  return labels === undefined ? { run: name } : Object.fromEntries(labels.split(',').map(pairOf));
}

/** The service of `--expose`, for the pods with these labels. */
export function serviceOf(name: string, port: string, labels: string | undefined): JsonObject {
  const selector = labelsOf(name, labels);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, ...(labels === undefined ? {} : { labels: selector }) },
    spec: { ports: [{ port: portOf(port), protocol: 'TCP', targetPort: portOf(port) }], selector },
    status: { loadBalancer: {} },
  };
}
