import type { Pod, Service } from '#kinds/generated/types/core_v1.ts';
import { CliError } from '../../failures.ts';
import type { LoadedTarget } from '../../manifests/targets.ts';

export interface ForwardedPort {
  /** 0: any that is free. */
  readonly local: number;
  /** In the pod. */
  readonly remote: number;
}

/** Reads `8080`, `8080:80`, `:80` and `8080:http`; a service's ports are followed to the pod's. Throws CliError. */
export function portsOf(texts: readonly string[], pod: Pod, owner: LoadedTarget | undefined): readonly ForwardedPort[] {
  return texts.map((text) => {
    const pieces = text.split(':');
    if (pieces.length > 2) throw new CliError(`invalid port format '${text}'`);
    const [localText = '', remoteText = localText] = pieces;
    const asked = /^\d+$/.test(remoteText) ? numberOf(remoteText, 'remote') : remoteText;
    const remote = remoteOf(asked, pod, owner);
    const isNamed = pieces.length === 1 && typeof asked === 'string';
    const local = isNamed ? remote : localText === '' ? 0 : numberOf(localText, 'local');
    if (remote === 0) throw new CliError('remote port must be > 0');
    return { local, remote };
  });
}

function numberOf(text: string, which: string): number {
  if (!/^\d+$/.test(text)) {
    throw new CliError(
      `error parsing ${which} port '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  if (Number(text) > 65535) {
    throw new CliError(
      `error parsing ${which} port '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`,
    );
  }
  return Number(text);
}

function remoteOf(asked: number | string, pod: Pod, owner: LoadedTarget | undefined): number {
  if (owner?.info.kind !== 'Service') return typeof asked === 'number' ? asked : containerPort(pod, asked);
  const service = owner.object as unknown as Service;
  const port = service.spec?.ports?.find((each) => each.port === asked || each.name === asked);
  if (port === undefined) {
    if (typeof asked === 'string') throw new CliError(`Service '${owner.name}' does not have a named port '${asked}'`);
    throw new CliError(`Service ${owner.name} does not have a service port ${asked}`);
  }
  // A headless service stands for nothing but its pods.
  if (service.spec?.clusterIP === 'None') return port.port;
  const { targetPort } = port;
  if (targetPort === undefined || targetPort === 0) return port.port;
  return typeof targetPort === 'number' ? targetPort : containerPort(pod, String(targetPort));
}

function containerPort(pod: Pod, name: string): number {
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const found = ports.find((port) => port.name === name);
  if (found === undefined) throw new CliError(`Pod '${pod.metadata.name}' does not have a named port '${name}'`);
  return found.containerPort;
}
