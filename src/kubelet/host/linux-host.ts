import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, hostname, networkInterfaces, release, totalmem } from 'node:os';
import type { Clock } from '#base/clock.ts';
import { runCommand } from '#system/run-command.ts';
import { openCgroups } from '../containerd/cgroups/cgroups.ts';
import { readMounts, shareMounts, unmountAll } from '../containerd/mounts.ts';
import { fileLogs } from '../logs/file-logs.ts';
import type { Host, HostMounts, Machine, MachineUsage, Resolver } from './host.ts';
import { hostNetwork } from './host-network.ts';
import { trafficOf } from './interface-traffic.ts';

export interface LinuxHostOptions {
  /** Volumes and the like. */
  readonly rootDirectory: string;
  readonly memoryDirectory: string;
  readonly podLogsDirectory: string;
  /** The node's address; the first one that is not loopback when absent. */
  readonly address?: string;
  readonly clock: Clock;
}

/** The machine that Proa runs on. Needs root. */
export async function linuxHost(options: LinuxHostOptions, signal: AbortSignal): Promise<Host> {
  const { clock, memoryDirectory, podLogsDirectory, rootDirectory } = options;
  await shareMounts(rootDirectory, signal);
  const addresses = [options.address ?? ownAddress()];
  return {
    machine: await machineFacts(addresses, rootDirectory),
    network: hostNetwork(clock),
    storage: { rootDirectory, memoryDirectory, podLogsDirectory, mounts: hostMounts },
    cgroups: await openCgroups(clock),
    logs: fileLogs(clock),
    resolver: readResolver,
    usage: () => readUsage(rootDirectory),
    traffic: trafficOf,
  };
}

function ownAddress(): string {
  for (const list of Object.values(networkInterfaces()))
    for (const { address, family, internal } of list ?? []) if (family === 'IPv4' && !internal) return address;
  return '127.0.0.1';
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

async function machineFacts(addresses: readonly string[], directory: string): Promise<Machine> {
  const text = (path: string) =>
    readFile(path, 'utf8').then(
      (found) => found.trim(),
      () => '',
    );
  const release_ = await text('/etc/os-release');
  const machineId = (await text('/etc/machine-id')) || (await text('/var/lib/dbus/machine-id'));
  const disk = await statfs(directory);
  return {
    hostname: hostname(),
    addresses,
    architecture: architectures[process.arch] ?? process.arch,
    bootId: await text('/proc/sys/kernel/random/boot_id'),
    kernelVersion: release(),
    machineId,
    operatingSystem: 'linux',
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release_)?.[1] ?? 'Linux',
    systemUuid: (await text('/sys/class/dmi/id/product_uuid')) || machineId,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    ephemeralStorageBytes: disk.blocks * disk.bsize,
  };
}

const hostMounts: HostMounts = {
  async mountTmpfs(directory, { sizeBytes }, signal) {
    const size = sizeBytes === undefined ? [] : ['-o', `size=${Math.floor(sizeBytes)}`];
    await runCommand('mount', ['-t', 'tmpfs', ...size, 'tmpfs', directory], signal);
  },
  async unmountAll(directory, signal) {
    await unmountAll(directory, signal);
  },
  async isMounted(directory) {
    return (await readMounts()).some(({ mountPoint }) => mountPoint === directory);
  },
};

async function readResolver(): Promise<Resolver> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const words = (name: string) =>
    text
      .split('\n')
      .map((line) =>
        line
          .replace(/[#;].*$/, '')
          .trim()
          .split(/\s+/),
      )
      .filter(([first]) => first === name)
      .map(([, ...rest]) => rest);
  return {
    servers: words('nameserver').flat(),
    searches: words('search').at(-1) ?? [],
    options: words('options').flat(),
  };
}

async function readUsage(directory: string): Promise<MachineUsage> {
  const [disk, memory, cpu, load] = await Promise.all([
    statfs(directory),
    readFile('/proc/meminfo', 'utf8'),
    readFile('/proc/stat', 'utf8'),
    readFile('/proc/loadavg', 'utf8'),
  ]);
  const availableKib = Number(/^MemAvailable:\s+(\d+)/m.exec(memory)?.[1] ?? freemem() / 1024);
  const [user = 0, nice = 0, system = 0] = (/^cpu\s+(.*)$/m.exec(cpu)?.[1] ?? '').split(' ').map(Number);
  const nanosecondsPerTick = 1e7;
  return {
    memoryAvailableBytes: availableKib * 1024,
    memoryWorkingSetBytes: totalmem() - availableKib * 1024,
    cpuUsageCoreNanoSeconds: (user + nice + system) * nanosecondsPerTick,
    filesystemAvailableBytes: disk.bavail * disk.bsize,
    filesystemCapacityBytes: disk.blocks * disk.bsize,
    filesystemInodes: disk.files,
    filesystemInodesFree: disk.ffree,
    processes: Number(/\d+\/(\d+)/.exec(load)?.[1] ?? 0),
    maxProcesses: Number(await readFile('/proc/sys/kernel/pid_max', 'utf8').catch(() => '0')),
  };
}
