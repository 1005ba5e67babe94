import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, sleep } from '#base/clock.ts';
import { readMounts } from '../mounts.ts';
import { type DeviceUsage, separateDevices, unifiedDevices } from './devices.ts';

/** What a group of processes may use. Absent: as much as there is. */
export interface CgroupLimits {
  /** Relative weight under contention, in the units of cgroup v1: 1024 for a whole core, at least 2. */
  readonly cpuShares?: number;
  /** CPU time in microseconds per period of 100 ms. */
  readonly cpuQuotaUs?: number;
  readonly memoryBytes?: number;
  readonly processes?: number;
}

export interface CgroupUsage {
  /** CPU time since the group was made. */
  readonly cpuNanoseconds: number;
  readonly cpuUserNanoseconds: number;
  readonly cpuSystemNanoseconds: number;
  /** How often the group was looked at for its CPU limit, how often it had used it up, and how long it waited then. */
  readonly cpuPeriods: number;
  readonly cpuThrottledPeriods: number;
  readonly cpuThrottledNanoseconds: number;
  readonly memoryBytes: number;
  /** Without file pages that the kernel would give back first: what evictions look at. */
  readonly memoryWorkingSetBytes: number;
  /** Anonymous memory. */
  readonly memoryResidentBytes: number;
  readonly memoryCacheBytes: number;
  readonly memoryMappedBytes: number;
  readonly memorySwapBytes: number;
  readonly devices: readonly DeviceUsage[];
}

/**
 * Control groups by their path, for example `/kubepods/burstable/pod1234`, on both layouts: one tree (v2), or one per
 * controller (v1). Runtimes make the groups of containers; those above are ours to make and to remove.
 */
export interface Cgroups {
  readonly version: 1 | 2;
  /** Makes the group and those above it, and sets its limits. */
  create(path: string, limits: CgroupLimits): Promise<void>;
  /** Removes the group and all groups in it, deepest first. Waits a little for processes that are just ending. */
  remove(path: string, signal: AbortSignal): Promise<void>;
  /** The names of the groups in a group; none when it does not exist. */
  list(path: string): Promise<readonly string[]>;
  /** Undefined when there is no such group. */
  usage(path: string): Promise<CgroupUsage | undefined>;
  /** Some process of the group; undefined when it has none of its own. */
  someProcess(path: string): Promise<number | undefined>;
}

const cpuPeriodUs = 100_000;
const removeAttempts = 8;
/** Linux tells user and system time of v1 groups in hundredths of a second. */
const tickNanoseconds = 10_000_000;

export async function openCgroups(clock: Clock): Promise<Cgroups> {
  const mounts = await readMounts();
  const isUnified = mounts.some((mount) => mount.mountPoint === '/sys/fs/cgroup' && mount.type === 'cgroup2');
  if (isUnified) return unifiedCgroups('/sys/fs/cgroup', clock);
  const hierarchies = mounts.filter((mount) => mount.type === 'cgroup' || mount.type === 'cgroup2');
  if (hierarchies.length === 0) throw new Error('no cgroups are mounted');
  const find = (controller: string): string | undefined =>
    hierarchies.find((mount) => mount.type === 'cgroup' && mount.superOptions.includes(controller))?.mountPoint;
  return separateCgroups(find, [...new Set(hierarchies.map((mount) => mount.mountPoint))], clock);
}

function unifiedCgroups(root: string, clock: Clock): Cgroups {
  return {
    version: 2,
    async create(path, limits) {
      let group = root;
      for (const name of path.split('/').filter(Boolean)) {
        await enableControllers(group);
        group = join(group, name);
        await mkdir(group, { recursive: true });
      }
      const write = (file: string, value: string) => writeFile(join(group, file), value);
      if (limits.cpuShares !== undefined) await write('cpu.weight', String(cpuWeight(limits.cpuShares)));
      if (limits.cpuQuotaUs !== undefined) await write('cpu.max', `${limits.cpuQuotaUs} ${cpuPeriodUs}`);
      if (limits.memoryBytes !== undefined) await write('memory.max', String(limits.memoryBytes));
      if (limits.processes !== undefined) await write('pids.max', String(limits.processes));
    },
    remove: (path, signal) => removeTree(join(root, path), clock, signal),
    list: (path) => directories(join(root, path)),
    async usage(path) {
      const cpu = await read(join(root, path, 'cpu.stat'));
      const memory = await read(join(root, path, 'memory.current'));
      const statistics = await read(join(root, path, 'memory.stat'));
      if (cpu === undefined || memory === undefined || statistics === undefined) return undefined;
      const memoryBytes = Number(memory);
      return {
        cpuNanoseconds: keyed(cpu, 'usage_usec') * 1000,
        cpuUserNanoseconds: keyed(cpu, 'user_usec') * 1000,
        cpuSystemNanoseconds: keyed(cpu, 'system_usec') * 1000,
        cpuPeriods: keyed(cpu, 'nr_periods'),
        cpuThrottledPeriods: keyed(cpu, 'nr_throttled'),
        cpuThrottledNanoseconds: keyed(cpu, 'throttled_usec') * 1000,
        memoryBytes,
        memoryWorkingSetBytes: Math.max(0, memoryBytes - keyed(statistics, 'inactive_file')),
        memoryResidentBytes: keyed(statistics, 'anon'),
        memoryCacheBytes: keyed(statistics, 'file'),
        memoryMappedBytes: keyed(statistics, 'file_mapped'),
        memorySwapBytes: Number((await read(join(root, path, 'memory.swap.current'))) ?? 0),
        devices: unifiedDevices((await read(join(root, path, 'io.stat'))) ?? ''),
      };
    },
    someProcess: (path) => firstProcess(join(root, path)),
  };
}

/** A controller works in a group only when the group above hands it down. */
async function enableControllers(group: string): Promise<void> {
  const available = ((await read(join(group, 'cgroup.controllers'))) ?? '').trim().split(' ');
  const wanted = ['cpu', 'cpuset', 'io', 'memory', 'pids'].filter((name) => available.includes(name));
  await writeFile(join(group, 'cgroup.subtree_control'), wanted.map((name) => `+${name}`).join(' '));
}

/** The kernel's range of weights, 1 to 10000, for shares of 2 to 262144 (KEP-2254). */
function cpuWeight(shares: number): number {
  const bounded = Math.min(Math.max(shares, 2), 262_144);
  return Math.floor(1 + ((bounded - 2) * 9999) / 262_142);
}

function separateCgroups(
  find: (controller: string) => string | undefined,
  hierarchies: readonly string[],
  clock: Clock,
): Cgroups {
  const write = async (controller: string, path: string, file: string, value: number | undefined): Promise<void> => {
    const root = find(controller);
    if (root === undefined) return;
    await mkdir(join(root, path), { recursive: true });
    if (value !== undefined) await writeFile(join(root, path, file), String(value));
  };
  return {
    version: 1,
    async create(path, limits) {
      await write('cpu', path, 'cpu.shares', limits.cpuShares);
      if (limits.cpuQuotaUs !== undefined) await write('cpu', path, 'cpu.cfs_period_us', cpuPeriodUs);
      await write('cpu', path, 'cpu.cfs_quota_us', limits.cpuQuotaUs);
      await write('cpuacct', path, '', undefined);
      // Counting children's memory in the parent is off by default in some old kernels.
      await write('memory', path, 'memory.limit_in_bytes', limits.memoryBytes);
      await write('pids', path, 'pids.max', limits.processes);
    },
    async remove(path, signal) {
      for (const root of hierarchies) await removeTree(join(root, path), clock, signal);
    },
    list: async (path) => directories(join(find('memory') ?? hierarchies[0]!, path)),
    async usage(path) {
      const cpu = await read(join(find('cpuacct') ?? '', path, 'cpuacct.usage'));
      const memory = await read(join(find('memory') ?? '', path, 'memory.usage_in_bytes'));
      const statistics = await read(join(find('memory') ?? '', path, 'memory.stat'));
      if (cpu === undefined || memory === undefined || statistics === undefined) return undefined;
      const parts = (await read(join(find('cpuacct') ?? '', path, 'cpuacct.stat'))) ?? '';
      const limit = (await read(join(find('cpu') ?? '', path, 'cpu.stat'))) ?? '';
      const devices = async (counted: 'bfq' | 'throttle'): Promise<readonly DeviceUsage[]> => {
        const table = async (name: string): Promise<string> =>
          (await read(join(find('blkio') ?? '', path, `blkio.${counted}.${name}_recursive`))) ?? '';
        return separateDevices(await table('io_service_bytes'), await table('io_serviced'));
      };
      // Which of them the kernel keeps depends on the scheduler of each disk.
      const [scheduled, throttled] = [await devices('bfq'), await devices('throttle')];
      const memoryBytes = Number(memory);
      return {
        cpuNanoseconds: Number(cpu),
        cpuUserNanoseconds: keyed(parts, 'user') * tickNanoseconds,
        cpuSystemNanoseconds: keyed(parts, 'system') * tickNanoseconds,
        cpuPeriods: keyed(limit, 'nr_periods'),
        cpuThrottledPeriods: keyed(limit, 'nr_throttled'),
        cpuThrottledNanoseconds: keyed(limit, 'throttled_time'),
        memoryBytes,
        memoryWorkingSetBytes: Math.max(0, memoryBytes - keyed(statistics, 'total_inactive_file')),
        memoryResidentBytes: keyed(statistics, 'total_rss'),
        memoryCacheBytes: keyed(statistics, 'total_cache'),
        memoryMappedBytes: keyed(statistics, 'total_mapped_file'),
        memorySwapBytes: keyed(statistics, 'total_swap'),
        devices: [...scheduled, ...throttled.filter(({ device }) => !scheduled.some((one) => one.device === device))],
      };
    },
    someProcess: (path) => firstProcess(join(find('memory') ?? '', path)),
  };
}

async function firstProcess(group: string): Promise<number | undefined> {
  const found = /^\d+/.exec((await read(join(group, 'cgroup.procs'))) ?? '')?.[0];
  return found === undefined ? undefined : Number(found);
}

async function removeTree(group: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const exists = await access(group).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  for (const child of await directories(group)) await removeTree(join(group, child), clock, signal);
  for (let attempt = 0; ; attempt++) {
    try {
      await rmdir(group);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      // A killed process leaves its group a moment after it was reaped.
      if (code !== 'EBUSY' || attempt === removeAttempts) throw error;
      await sleep(clock, 2 ** attempt, signal);
    }
  }
}

async function directories(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** The number behind a name in a file of `name number` lines. */
function keyed(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
