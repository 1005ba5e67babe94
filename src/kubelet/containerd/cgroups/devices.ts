import { readFile } from 'node:fs/promises';

/** What a group has read from a block device and written to it since the group was made. */
export interface DeviceUsage {
  /** Major and minor number: `254:0`. */
  readonly device: string;
  readonly readBytes: number;
  readonly reads: number;
  readonly writtenBytes: number;
  readonly writes: number;
}

/** Reads `io.stat` of cgroup v2: `254:0 rbytes=1 wbytes=2 rios=3 wios=4 …`. */
export function unifiedDevices(text: string): readonly DeviceUsage[] {
  return text.split('\n').flatMap((line) => {
    const [, device, rest = ''] = /^(\d+:\d+) (.*)$/.exec(line) ?? [];
    if (device === undefined) return [];
    const value = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(rest)?.[1] ?? 0);
    const [readBytes, reads] = [value('rbytes'), value('rios')];
    return [{ device, readBytes, reads, writtenBytes: value('wbytes'), writes: value('wios') }];
  });
}

/** Reads the tables of cgroup v1, which have a line for each device and kind of operation: `254:0 Read 1`. */
export function separateDevices(bytes: string, operations: string): readonly DeviceUsage[] {
  const [inBytes, inOperations] = [table(bytes), table(operations)];
  return [...inBytes].map(([device, found]) => ({
    device,
    readBytes: found.get('Read') ?? 0,
    reads: inOperations.get(device)?.get('Read') ?? 0,
    writtenBytes: found.get('Write') ?? 0,
    writes: inOperations.get(device)?.get('Write') ?? 0,
  }));
}

function table(text: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const devices = new Map<string, Map<string, number>>();
  for (const [, device = '', operation = '', value] of text.matchAll(/^(\d+:\d+) (\w+) (\d+)$/gm)) {
    const found = devices.get(device) ?? new Map<string, number>();
    devices.set(device, found.set(operation, Number(value)));
  }
  return devices;
}

const names = new Map<string, string>();

/** Where a device is found: `/dev/vda`; its numbers when the machine does not say. */
export async function deviceName(device: string): Promise<string> {
  let name = names.get(device);
  if (name === undefined) {
    const facts = await readFile(`/sys/dev/block/${device}/uevent`, 'utf8').catch(() => '');
    const found = /^DEVNAME=(.+)$/m.exec(facts)?.[1];
    name = found === undefined ? device : `/dev/${found}`;
    names.set(device, name);
  }
  return name;
}
