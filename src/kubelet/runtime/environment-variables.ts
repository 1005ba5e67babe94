import type { ConfigMap, Container, EnvVarSource, Pod, Secret, Service } from '#kinds/generated/types/core_v1.ts';
import { expand } from './expansion.ts';
import { type DownwardFacts, fieldValue, resourceValue } from './field-reference.ts';

/** The objects that a pod refers to. `undefined` when there is none of that name. */
export interface PodObjects {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

export interface EnvironmentSources {
  readonly objects: PodObjects;
  /** All services that exist; undefined on nodes that do not inject them. */
  readonly services: Iterable<Service> | undefined;
  readonly facts: DownwardFacts;
}

/** The environment cannot be made as the container asks: reported as CreateContainerConfigError. */
export class ConfigError extends Error {}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const validName = /^[^=\u0000-\u001f\u007f-\uffff]+$/;

/**
 * The environment of a container: service variables, then `envFrom`, then `env`, where later ones win. Throws
 * ConfigError when something required is missing.
 */
export async function containerEnvironment(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Promise<ReadonlyMap<string, string>> {
  const result = new Map<string, string>();
  const namespace = pod.metadata.namespace ?? '';
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? '';
    const entries = await fromSource(namespace, source, sources.objects);
    for (const [key, value] of entries) if (validName.test(prefix + key)) result.set(prefix + key, value);
  }
  const services = serviceVariables(pod, sources.services ?? []);
  for (const variable of container.env ?? []) {
    // A value may refer to what stands before it, and to services, even where a variable of its own hides one.
    const lookup = (name: string) => result.get(name) ?? services.get(name);
    if (variable.valueFrom === undefined) {
      result.set(variable.name, expand(variable.value ?? '', lookup));
      continue;
    }
    const value = await fromReference(pod, container, variable.valueFrom, sources);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

async function fromSource(
  namespace: string,
  source: NonNullable<Container['envFrom']>[number],
  objects: PodObjects,
): Promise<readonly (readonly [string, string])[]> {
  const sorted = (entries: [string, string][]) => entries.sort(([left], [right]) => (left < right ? -1 : 1));
  if (source.configMapRef !== undefined) {
    const { name = '', optional } = source.configMapRef;
    const map = await objects.configMap(namespace, name);
    if (map === undefined && !optional) throw new ConfigError(`configmap "${name}" not found`);
    return sorted(Object.entries(map?.data ?? {}));
  }
  if (source.secretRef !== undefined) {
    const { name = '', optional } = source.secretRef;
    const secret = await objects.secret(namespace, name);
    if (secret === undefined && !optional) throw new ConfigError(`secret "${name}" not found`);
    return sorted(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, fromBase64(value)]));
  }
  return [];
}

async function fromReference(
  pod: Pod,
  container: Container,
  from: EnvVarSource,
  { objects, facts }: EnvironmentSources,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath, facts);
  if (from.resourceFieldRef !== undefined) {
    const named = from.resourceFieldRef.containerName;
    const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    const target = named === undefined || named === '' ? container : all.find(({ name }) => name === named);
    if (target === undefined) throw new ConfigError(`container ${named} not found`);
    return resourceValue(target, from.resourceFieldRef, facts);
  }
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const map = await objects.configMap(namespace, name);
    const value = map?.data?.[key];
    if (value !== undefined) return value;
    if (optional) return undefined;
    if (map === undefined) throw new ConfigError(`configmap "${name}" not found`);
    throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional } = from.secretKeyRef;
    const secret = await objects.secret(namespace, name);
    const value = secret?.data?.[key];
    if (value !== undefined) return fromBase64(value);
    if (optional) return undefined;
    if (secret === undefined) throw new ConfigError(`secret "${name}" not found`);
    throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  return undefined;
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/**
 * Variables for the services of the pod's namespace, in the manner of Docker links, and always for `kubernetes`.
 */
function serviceVariables(pod: Pod, services: Iterable<Service>): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const wantsLinks = pod.spec.enableServiceLinks ?? true;
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name = '', namespace } = service.metadata;
    const address = service.spec?.clusterIP ?? '';
    if (address === '' || address === 'None') continue;
    const isMaster = namespace === 'default' && name === 'kubernetes';
    if (isMaster && !chosen.has(name)) chosen.set(name, service);
    else if (wantsLinks && namespace === pod.metadata.namespace) chosen.set(name, service);
  }
  for (const [name, service] of chosen) {
    const prefix = name.toUpperCase().replaceAll('-', '_');
    if (!variableName.test(prefix) && /[^A-Z0-9_]/.test(prefix)) continue;
    const host = service.spec?.clusterIP ?? '';
    const ports = service.spec?.ports ?? [];
    if (ports[0] === undefined) continue;
    result.set(`${prefix}_SERVICE_HOST`, host);
    result.set(`${prefix}_SERVICE_PORT`, String(ports[0].port));
    for (const port of ports) {
      const portName = port.name === undefined || port.name === '' ? '' : port.name.toUpperCase().replaceAll('-', '_');
      if (portName !== '') result.set(`${prefix}_SERVICE_PORT_${portName}`, String(port.port));
    }
    const authority = host.includes(':') ? `[${host}]` : host;
    for (const [index, port] of ports.entries()) {
      const protocol = port.protocol ?? 'TCP';
      const url = `${protocol.toLowerCase()}://${authority}:${port.port}`;
      if (index === 0) result.set(`${prefix}_PORT`, url);
      const link = `${prefix}_PORT_${port.port}_${protocol}`;
      result.set(link, url);
      result.set(`${link}_PROTO`, protocol.toLowerCase());
      result.set(`${link}_PORT`, String(port.port));
      result.set(`${link}_ADDR`, host);
    }
  }
  return result;
}
