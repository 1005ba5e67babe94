import type {
  Container,
  ContainerStatus,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Toleration,
} from '#kinds/generated/types/core_v1.ts';
import { formatLabelSelector } from '#machinery/labels.ts';
import { parseQuantity, wholeValue } from '#machinery/quantity.ts';
import { longTime, quantities, type Sheet } from './sheet.ts';
import { describeVolumes } from './volumes.ts';

/** What a workload makes its pods from. */
export function describePodTemplate(sheet: Sheet, template: PodTemplateSpec | undefined): void {
  sheet.line(0, 'Pod Template:');
  if (template === undefined) {
    sheet.line(1, '<unset>');
    return;
  }
  const { metadata, spec } = template;
  sheet.labels('Labels', metadata?.labels, '  ');
  if (Object.keys(metadata?.annotations ?? {}).length > 0) sheet.annotations(metadata?.annotations, '  ');
  if (spec === undefined) return;
  sheet.optional('Service Account', spec.serviceAccountName, 1);
  if ((spec.initContainers ?? []).length > 0) {
    describeContainers(sheet, 'Init Containers', spec.initContainers ?? [], { space: '  ' });
  }
  describeContainers(sheet, 'Containers', spec.containers ?? [], { space: '  ' });
  describeVolumes(sheet, spec.volumes, '  ');
  describeSpread(sheet, spec, '  ');
  sheet.optional('Priority Class Name', spec.priorityClassName, 1);
  sheet.labels('Node-Selectors', spec.nodeSelector, '  ');
  sheet.list('Tolerations', (spec.tolerations ?? []).map(tolerationText), '  ');
}

export function describeSpread(sheet: Sheet, spec: PodSpec, indent: string): void {
  const constraints = (spec.topologySpreadConstraints ?? [])
    .map((constraint) => {
      const { topologyKey, whenUnsatisfiable, maxSkew, labelSelector } = constraint;
      const selector = labelSelector === undefined ? '' : ` for selector ${formatLabelSelector(labelSelector)}`;
      return `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${selector}`;
    })
    .sort();
  if (constraints.length > 0) sheet.list('Topology Spread Constraints', constraints, indent);
}

export function tolerationText({
  key = '',
  operator = '',
  value = '',
  effect = '',
  tolerationSeconds,
}: Toleration): string {
  let text = key;
  if (value !== '') text += `=${value}`;
  if (effect !== '') text += `:${effect}`;
  if (operator === 'Exists' && value === '') text += text === '' ? 'op=Exists' : ' op=Exists';
  return tolerationSeconds === undefined ? text : `${text} for ${tolerationSeconds}s`;
}

interface ContainerOptions {
  /** Before the title: two spaces within a template. */
  readonly space?: string;
  readonly statuses?: readonly ContainerStatus[] | undefined;
  /** The pod itself, whose fields the environment may name. */
  readonly pod?: Pod;
}

export function describeContainers(
  sheet: Sheet,
  title: string,
  containers: readonly Container[],
  { space = '', statuses, pod }: ContainerOptions,
): void {
  sheet.raw(`${space}${title}:${containers.length === 0 ? ' <none>' : ''}\n`);
  for (const container of containers) {
    const status = statuses?.find(({ name }) => name === container.name);
    sheet.line(1, `${space === '' ? '' : ' '}${container.name}:`);
    describeBasics(sheet, container, status);
    describeCommand(sheet, 'Command', container.command);
    describeCommand(sheet, 'Args', container.args);
    if (status !== undefined) describeStatus(sheet, status);
    quantities(sheet, 'Limits', container.resources?.limits, 2);
    quantities(sheet, 'Requests', container.resources?.requests, 2);
    if (container.livenessProbe !== undefined) sheet.field('Liveness', probeText(container.livenessProbe), 2);
    if (container.readinessProbe !== undefined) sheet.field('Readiness', probeText(container.readinessProbe), 2);
    if (container.startupProbe !== undefined) sheet.field('Startup', probeText(container.startupProbe), 2);
    describeEnvironment(sheet, container, pod);
    describeMounts(sheet, container);
  }
}

function describeBasics(sheet: Sheet, container: Container, status: ContainerStatus | undefined): void {
  if (status !== undefined) sheet.field('Container ID', status.containerID ?? '', 2);
  sheet.field('Image', container.image ?? '', 2);
  if (status !== undefined) sheet.field('Image ID', status.imageID ?? '', 2);
  const ports = container.ports ?? [];
  const text = (pick: (port: (typeof ports)[number]) => number): string => {
    const list = ports.map((port) => {
      const name = port.name === undefined || port.name === '' ? '' : ` (${port.name})`;
      return `${pick(port)}/${port.protocol ?? 'TCP'}${name}`;
    });
    return list.length === 0 ? '<none>' : list.join(', ');
  };
  const isMany = ports.length > 1;
  sheet.field(
    isMany ? 'Ports' : 'Port',
    text(({ containerPort }) => containerPort),
    2,
  );
  sheet.field(
    isMany ? 'Host Ports' : 'Host Port',
    text(({ hostPort }) => hostPort ?? 0),
    2,
  );
  const profile = container.securityContext?.seccompProfile;
  if (profile !== undefined) {
    sheet.field('SeccompProfile', profile.type, 2);
    if (profile.type === 'Localhost') sheet.field('LocalhostProfile', profile.localhostProfile ?? '', 3);
  }
}

function describeCommand(sheet: Sheet, title: string, words: readonly string[] | undefined): void {
  if (words === undefined || words.length === 0) return;
  sheet.line(2, `${title}:`);
  for (const word of words) for (const line of word.split('\n')) sheet.line(3, line);
}

function describeStatus(sheet: Sheet, status: ContainerStatus): void {
  describeState(sheet, 'State', status.state);
  if (status.lastState?.terminated !== undefined) describeState(sheet, 'Last State', status.lastState);
  sheet.field('Ready', status.ready ? 'True' : 'False', 2);
  sheet.field('Restart Count', status.restartCount ?? 0, 2);
}

function describeState(sheet: Sheet, title: string, state: ContainerStatus['state']): void {
  if (state?.running !== undefined) {
    sheet.field(title, 'Running', 2);
    sheet.field('Started', state.running.startedAt === undefined ? '' : longTime(state.running.startedAt), 3);
  } else if (state?.terminated !== undefined) {
    const { reason, message, exitCode, signal = 0, startedAt, finishedAt } = state.terminated;
    sheet.field(title, 'Terminated', 2);
    sheet.optional('Reason', reason, 3);
    sheet.optional('Message', message, 3);
    sheet.field('Exit Code', exitCode ?? 0, 3);
    if (signal > 0) sheet.field('Signal', signal, 3);
    sheet.field('Started', startedAt === undefined ? '' : longTime(startedAt), 3);
    sheet.field('Finished', finishedAt === undefined ? '' : longTime(finishedAt), 3);
  } else {
    sheet.field(title, 'Waiting', 2);
    sheet.optional('Reason', state?.waiting?.reason, 3);
  }
}

function probeText(probe: Probe): string {
  const attributes = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 0}s period=${probe.periodSeconds ?? 0}s #success=${probe.successThreshold ?? 0} #failure=${probe.failureThreshold ?? 0}`;
  if (probe.exec !== undefined) return `exec [${(probe.exec.command ?? []).join(' ')}] ${attributes}`;
  if (probe.httpGet !== undefined) {
    const { scheme = 'HTTP', host = '', port, path = '' } = probe.httpGet;
    const shown = String(port ?? '') === '' ? '' : `:${port}`;
    return `http-get ${scheme.toLowerCase()}://${host}${shown}${path} ${attributes}`;
  }
  if (probe.tcpSocket !== undefined)
    return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${attributes}`;
  if (probe.grpc !== undefined) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${attributes}`;
  return `unknown ${attributes}`;
}

function describeEnvironment(sheet: Sheet, container: Container, pod: Pod | undefined): void {
  const from = container.envFrom ?? [];
  if (from.length > 0) {
    sheet.line(2, 'Environment Variables from:');
    for (const { configMapRef, secretRef, prefix = '' } of from) {
      const reference = configMapRef ?? secretRef;
      const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap';
      const withPrefix = prefix === '' ? '' : ` with prefix '${prefix}'`;
      sheet.line(3, `${reference?.name ?? ''}\t${kind}${withPrefix}\tOptional: ${reference?.optional ?? false}`);
    }
  }
  const variables = container.env ?? [];
  if (variables.length === 0) {
    sheet.field('Environment', '<none>', 2);
    return;
  }
  sheet.line(2, 'Environment:');
  for (const { name, value = '', valueFrom } of variables) {
    if (valueFrom === undefined) {
      const [first = '', ...rest] = value.split('\n');
      sheet.field(name, first, 3);
      for (const line of rest) sheet.line(3, `\t${line}`);
    } else if (valueFrom.fieldRef !== undefined) {
      const { apiVersion = 'v1', fieldPath } = valueFrom.fieldRef;
      sheet.field(name, `${podField(pod, fieldPath)} (${apiVersion}:${fieldPath})`, 3);
    } else if (valueFrom.resourceFieldRef !== undefined) {
      sheet.field(
        name,
        `${resourceField(container, valueFrom.resourceFieldRef.resource)} (${valueFrom.resourceFieldRef.resource})`,
        3,
      );
    } else if (valueFrom.secretKeyRef !== undefined) {
      const { key, name: secret = '', optional = false } = valueFrom.secretKeyRef;
      sheet.field(name, `<set to the key '${key}' in secret '${secret}'>\tOptional: ${optional}`, 3);
    } else if (valueFrom.configMapKeyRef !== undefined) {
      const { key, name: map = '', optional = false } = valueFrom.configMapKeyRef;
      sheet.field(name, `<set to the key '${key}' of config map '${map}'>\tOptional: ${optional}`, 3);
    }
  }
}

/** What of a pod can be told from its metadata alone. */
function podField(pod: Pod | undefined, path: string): string {
  const metadata = pod?.metadata;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null) return metadata?.[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  if (path === 'metadata.name') return metadata?.name ?? '';
  if (path === 'metadata.namespace') return metadata?.namespace ?? '';
  return path === 'metadata.uid' ? (metadata?.uid ?? '') : '';
}

/** Whole cores and bytes, as the container sees them. */
function resourceField({ resources }: Container, path: string): string {
  const [kind, name = ''] = path.split('.');
  const amount = (kind === 'limits' ? resources?.limits : resources?.requests)?.[name];
  return amount === undefined ? '0' : String(wholeValue(parseQuantity(amount)));
}

function describeMounts(sheet: Sheet, container: Container): void {
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
  if (mounts.length === 0) sheet.field('Mounts', '<none>', 2);
  else sheet.line(2, 'Mounts:');
  for (const { name, mountPath, readOnly, subPath = '' } of mounts) {
    const flags = [readOnly === true ? 'ro' : 'rw', ...(subPath === '' ? [] : [`path="${subPath}"`])];
    sheet.line(3, `${mountPath} from ${name} (${flags.join(',')})`);
  }
  const devices = [...(container.volumeDevices ?? [])].sort((a, b) => (a.devicePath < b.devicePath ? -1 : 1));
  if (devices.length === 0) return;
  sheet.line(2, 'Devices:');
  for (const { devicePath, name } of devices) sheet.line(3, `${devicePath} from ${name}`);
}
