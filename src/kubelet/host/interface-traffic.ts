import { readFile } from 'node:fs/promises';
import type { InterfaceTraffic } from './host.ts';

/** What went over the interfaces in the network of a process; none when it has ended. */
export async function trafficOf(processId: number): Promise<readonly InterfaceTraffic[]> {
  const text = await readFile(`/proc/${processId}/net/dev`, 'utf8').catch(() => '');
  return parseTraffic(text);
}

/** Reads Linux' table of interfaces: sixteen numbers for each, eight of them for each direction. */
export function parseTraffic(text: string): readonly InterfaceTraffic[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', numbers = ''] = /^\s*([^:\s]+):\s*(\d.*)$/.exec(line) ?? [];
    if (name === '' || name === 'lo') return [];
    const columns = numbers.trim().split(/\s+/).map(Number);
    const direction = (first: number) => {
      const [bytes = 0, packets = 0, errors = 0, dropped = 0] = columns.slice(first);
      return { bytes, packets, errors, dropped };
    };
    return [{ name, received: direction(0), transmitted: direction(8) }];
  });
}
