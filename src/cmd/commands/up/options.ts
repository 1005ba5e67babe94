import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FeatureGates } from '#apiserver/feature-gates.ts';
import { accessFlags, type FlagValues } from '#apiserver/flags.ts';
import { parseIpRange, parseIpv4 } from '#apiserver/services/ip-range.ts';
import type { Duration, SimulatedBehaviour } from '#kubelet/simulated/behaviour.ts';
import { parseYaml } from '#machinery/yaml.ts';
import {
  type ClusterConfig,
  defaultDataDir,
  defaultPodCidr,
  defaultPort,
  defaultServiceCidr,
  type EtcdConfig,
  isRoot,
} from '../../config.ts';
import { UserError } from '../../data-folder.ts';
import { fileTrouble } from '../../files.ts';
import { machineNames } from '../../machine-names.ts';
import { text, type Values } from '../command.ts';

/** Keys of a `--config` file; each has a flag of the same meaning, which wins. */
const fileKeys = [
  'dataDir',
  'port',
  'bindAddress',
  'advertiseAddress',
  'nodes',
  'simulatedNodes',
  'serviceCidr',
  'podCidr',
  'clusterDomain',
  'featureGates',
  'simulation',
  'etcd',
  'apiServer',
] as const;
type FileConfig = Partial<Record<(typeof fileKeys)[number], unknown>>;

export interface UpOptions {
  readonly config: ClusterConfig;
  /** Why there are simulated nodes although nobody asked for them. */
  readonly notice: string | undefined;
}

/** Flags over file over defaults. @throws UserError. */
export function upOptions(values: Values): UpOptions {
  const file = readConfigFile(text(values, 'config'));
  const simulated = wholeNumber('--simulated-nodes', text(values, 'simulated-nodes') ?? file.simulatedNodes);
  const asked = wholeNumber('--nodes', text(values, 'nodes') ?? file.nodes);
  if (asked !== undefined && asked > 1) throw new UserError('--nodes takes 0 or 1: one real node is this machine');
  if (asked === 1 && !isRoot())
    throw new UserError('a real node needs root on Linux: run as root, or leave out --nodes for simulated ones');
  const nodes = (asked ?? (isRoot() && simulated === undefined ? 1 : 0)) as 0 | 1;
  const fallsBack = nodes === 0 && simulated === undefined && asked === undefined;
  const simulatedNodes = simulated ?? (fallsBack ? 1 : 0);
  if (simulatedNodes > 240) throw new UserError('--simulated-nodes takes up to 240: each has a /24 of the pod range');
  const dataDir = resolve(text(values, 'data-dir') ?? stringOf('dataDir', file.dataDir) ?? defaultDataDir());
  const config: ClusterConfig = {
    dataDir,
    names: machineNames(dataDir),
    port: wholeNumber('--port', text(values, 'port') ?? file.port, greatestPort) ?? defaultPort,
    ...given({
      bindAddress: address('bindAddress', file.bindAddress),
      advertiseAddress: address(
        '--advertise-address',
        text(values, 'advertise-address') ?? stringOf('advertiseAddress', file.advertiseAddress),
      ),
    }),
    nodes,
    simulatedNodes,
    serviceCidr: range('serviceCidr', file.serviceCidr) ?? defaultServiceCidr,
    podCidr: range('podCidr', file.podCidr) ?? defaultPodCidr,
    clusterDomain: stringOf('clusterDomain', file.clusterDomain) ?? 'cluster.local',
    featureGates: gates(text(values, 'feature-gates'), file.featureGates),
    simulation: simulation(text(values, 'simulate'), file.simulation),
    ...etcd(text(values, 'etcd-servers'), file.etcd),
    apiServer: serverFlags(file.apiServer),
  };
  return { config, notice: fallsBack ? fallbackNotice() : undefined };
}

const etcdKeys = ['servers', 'caFile', 'certFile', 'keyFile'];

function etcd(flag: string | undefined, file: unknown): { readonly etcd?: EtcdConfig } {
  const found = (file ?? {}) as Readonly<Record<string, unknown>>;
  const servers = flag?.split(',') ?? found['servers'];
  if (file === undefined && servers === undefined) return {};
  const unknown = Object.keys(found).find((key) => !etcdKeys.includes(key));
  if (unknown !== undefined) throw new UserError(`etcd: unknown key "${unknown}"; known are ${etcdKeys.join(', ')}`);
  const isUrl = (server: unknown): boolean => typeof server === 'string' && /^https?:\/\/[^/]+$/.test(server);
  if (!Array.isArray(servers) || servers.length === 0 || !servers.every(isUrl))
    throw new UserError('etcd takes servers such as http://127.0.0.1:2379, one for each member');
  const files = Object.fromEntries(
    etcdKeys.slice(1).flatMap((key) => {
      const path = stringOf(`etcd.${key}`, found[key]);
      return path === undefined ? [] : [[key, path]];
    }),
  );
  return { etcd: { servers: servers as string[], ...files } };
}

function fallbackNotice(): string {
  const how = process.platform === 'linux' ? 'run it as root' : 'run it as root on Linux';
  return `Nodes are simulated: pods are scheduled and become ready, but nothing runs in them. For real containers, ${how}.`;
}

function readConfigFile(path: string | undefined): FileConfig {
  if (path === undefined) return {};
  let parsed: unknown;
  try {
    parsed = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${fileTrouble(error)}`);
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new UserError(`${path} must hold a mapping`);
  for (const key of Object.keys(parsed)) {
    if (!(fileKeys as readonly string[]).includes(key))
      throw new UserError(`${path}: unknown key "${key}"; known are ${fileKeys.join(', ')}`);
  }
  return parsed as FileConfig;
}

const greatestPort = 65_535;

function wholeNumber(name: string, value: unknown, most?: number): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'number' ? value : Number(value);
  if (!Number.isInteger(number) || number < 0 || number > (most ?? number) || value === '') {
    const which = most === undefined ? 'a whole number' : `a whole number up to ${most}`;
    throw new UserError(`${name} must be ${which}, not ${JSON.stringify(value)}`);
  }
  return number;
}

function stringOf(name: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw new UserError(`${name} must be a string`);
  return value;
}

function address(name: string, value: unknown): string | undefined {
  const written = stringOf(name, value);
  if (written !== undefined && parseIpv4(written) === undefined)
    throw new UserError(`${name} must be an IPv4 address, not ${JSON.stringify(written)}`);
  return written;
}

/** Only what somebody said. */
function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function range(name: string, value: unknown): string | undefined {
  const written = stringOf(name, value);
  if (written === undefined) return undefined;
  try {
    parseIpRange(written);
  } catch {
    throw new UserError(`${name} must be an IPv4 range such as 10.96.0.0/16, not ${JSON.stringify(written)}`);
  }
  return written;
}

function gates(flag: string | undefined, fromFile: unknown): Readonly<Record<string, boolean>> {
  const result: Record<string, boolean> = {};
  if (fromFile !== undefined) {
    if (fromFile === null || typeof fromFile !== 'object')
      throw new UserError('featureGates must map gates to true or false');
    for (const [gate, value] of Object.entries(fromFile)) {
      if (typeof value !== 'boolean') throw new UserError(`featureGates.${gate} must be true or false`);
      result[gate] = value;
    }
  }
  for (const part of (flag ?? '').split(',').filter((item) => item !== '')) {
    const [gate = '', value = ''] = part.split('=');
    if (value !== 'true' && value !== 'false')
      throw new UserError(`--feature-gates: ${part} must end in =true or =false`);
    result[gate] = value === 'true';
  }
  try {
    new FeatureGates(result);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
  return result;
}

/** kube-apiserver's flags by their names, as `apiServer: {audit-log-path: …}`. Their values are read when the server starts. */
function serverFlags(value: unknown): FlagValues {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new UserError('apiServer must map flags to values');
  const flags: Record<string, string | readonly string[]> = {};
  for (const [flag, given] of Object.entries(value)) {
    if (!(accessFlags as readonly string[]).includes(flag))
      throw new UserError(`apiServer: unknown flag "${flag}"; known are ${accessFlags.join(', ')}`);
    flags[flag] = Array.isArray(given) ? given.map(String) : String(given);
  }
  return flags;
}

/** Parts of a simulated container's life: what takes how long, in milliseconds or as a range, and how often it fails. */
const simulatedTimes = ['sandbox', 'start', 'ready', 'initRun', 'pull', 'stop', 'failAfter'] as const;

/** `start=200..800,ready=1000,failChance=0.01`, or the same as a mapping in the file. */
function simulation(flag: string | undefined, fromFile: unknown): Partial<SimulatedBehaviour> {
  const written: Record<string, unknown> = {};
  if (fromFile !== undefined) {
    if (fromFile === null || typeof fromFile !== 'object') throw new UserError('simulation must be a mapping');
    Object.assign(written, fromFile);
  }
  for (const part of (flag ?? '').split(',').filter((item) => item !== '')) {
    const [name = '', value = ''] = part.split('=');
    written[name] = value;
  }
  const behaviour: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(written)) {
    if (name === 'failChance') behaviour[name] = chance(value);
    else if ((simulatedTimes as readonly string[]).includes(name)) behaviour[name] = duration(name, value);
    else throw new UserError(`simulation: unknown key "${name}"; known are ${simulatedTimes.join(', ')}, failChance`);
  }
  return behaviour;
}

function chance(value: unknown): number {
  const number = Number(value);
  if (value === '' || !(number >= 0 && number <= 1))
    throw new UserError(`simulation: failChance must be between 0 and 1, not ${JSON.stringify(value)}`);
  return number;
}

function duration(name: string, value: unknown): Duration {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(String(value));
  if (match === null)
    throw new UserError(
      `simulation: ${name} must be milliseconds or a range such as 200..800, not ${JSON.stringify(value)}`,
    );
  const fromMs = Number(match[1]);
  return match[2] === undefined ? fromMs : { fromMs, toMs: Number(match[2]) };
}
