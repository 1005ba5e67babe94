import { readdirSync, readFileSync } from 'node:fs';

/** What Prometheus' clients tell of their process, by the usual names. */
export interface ProcessReading {
  readonly name: string;
  readonly type: 'gauge' | 'count';
  readonly help: string;
  /** Undefined where the system does not say. */
  readonly read: () => number | undefined;
}

export const processReadings: readonly ProcessReading[] = [
  gauge('start_time_seconds', 'When the process started, since 1970.', () => performance.timeOrigin / 1000),
  gauge('resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss()),
  count('cpu_seconds_total', 'Processor time used.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
  gauge('virtual_memory_max_bytes', 'Addresses that may be in use.', () => {
    return fromProcess('limits', /^Max address space\s+(\d+)/m) ?? 2 ** 64;
  }),
  gauge('virtual_memory_bytes', 'Addresses in use.', () => {
    const kibibytes = fromProcess('status', /^VmSize:\s+(\d+) kB$/m);
    return kibibytes === undefined ? undefined : kibibytes * 1024;
  }),
  gauge('open_fds', 'Open files.', openFiles),
  gauge('max_fds', 'Files that may be open.', () => fromProcess('limits', /^Max open files\s+(\d+)/m)),
  count('network_receive_bytes_total', 'Bytes that came over the network.', () => traffic().received),
  count('network_transmit_bytes_total', 'Bytes that went over the network.', () => traffic().sent),
];

function gauge(name: string, help: string, read: () => number | undefined): ProcessReading {
  return { name: `process_${name}`, type: 'gauge', help, read };
}

function count(name: string, help: string, read: () => number | undefined): ProcessReading {
  return { name: `process_${name}`, type: 'count', help, read };
}

function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

function fromProcess(file: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(textOf(file))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** As Prometheus' clients: of the network that the process sees, since a process' own is not told. */
function traffic(): { readonly received: number | undefined; readonly sent: number | undefined } {
  const numbers = /^IpExt: (\d.*)$/m.exec(textOf('net/netstat'))?.[1]?.split(' ').map(Number);
  return { received: numbers?.[6], sent: numbers?.[7] };
}

function textOf(file: string): string {
  try {
    return readFileSync(`/proc/self/${file}`, 'utf8');
  } catch {
    return '';
  }
}
