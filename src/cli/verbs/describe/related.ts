import type { ObjectMeta } from '#machinery/meta.ts';
import { formatAge, parseTime } from '#machinery/time.ts';
import type { CommandContext } from '../../context.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import { type EventLike, lastTime } from '../events/event.ts';
import type { Sheet } from './sheet.ts';

/** What a description is made with. */
export interface DescribeOptions {
  readonly context: CommandContext;
  readonly showEvents: boolean;
}

/** Objects of a type in a namespace, of those that the selector takes; none when they may not be read. */
export async function related<T>(
  { context }: DescribeOptions,
  type: string,
  where: { readonly namespace?: string | undefined; readonly labelSelector?: string; readonly fieldSelector?: string },
): Promise<readonly T[]> {
  const info = (await context.mapper()).tryResource(type);
  if (info === undefined) return [];
  try {
    return (await fetchObjects(context, { info, ...where })) as unknown as readonly T[];
  } catch {
    return [];
  }
}

/** The events about an object, oldest first. */
export async function describeEvents(
  sheet: Sheet,
  options: DescribeOptions,
  about: { readonly kind?: string | undefined; readonly metadata: ObjectMeta; readonly uid?: string },
): Promise<void> {
  if (!options.showEvents) return;
  const { namespace, name, uid } = about.metadata;
  const conditions = [
    `involvedObject.name=${name ?? ''}`,
    ...(namespace === undefined ? [] : [`involvedObject.namespace=${namespace}`]),
  ];
  if (about.kind !== undefined) conditions.push(`involvedObject.kind=${about.kind}`);
  const wantedUid = about.uid ?? uid;
  if (wantedUid !== undefined) conditions.push(`involvedObject.uid=${wantedUid}`);
  const found = await related<EventLike>(options, 'events', { namespace, fieldSelector: conditions.join(',') });
  if (found.length === 0) {
    sheet.field('Events', '<none>');
    return;
  }
  sheet.line(0, 'Events:');
  sheet.line(1, 'Type\tReason\tAge\tFrom\tMessage');
  sheet.line(1, '----\t------\t----\t----\t-------');
  const now = options.context.clock.now();
  for (const event of [...found].sort((a, b) => lastTime(a) - lastTime(b))) {
    const { type = '', reason = '', message = '' } = event;
    sheet.line(1, `${type}\t${reason}\t${interval(event, now)}\t${sourceOf(event)}\t${message.trim()}`);
  }
}

function interval(event: EventLike, now: number): string {
  const age = (text: string | null | undefined): string =>
    text === undefined || text === null ? '<unknown>' : formatAge(now - parseTime(text));
  const first = age(event.firstTimestamp ?? event.eventTime);
  if (event.series !== undefined)
    return `${age(event.series.lastObservedTime)} (x${event.series.count ?? 0} over ${first})`;
  return (event.count ?? 0) > 1 ? `${age(event.lastTimestamp)} (x${event.count} over ${first})` : first;
}

function sourceOf({ source, reportingComponent = '' }: EventLike): string {
  const component = source?.component ?? reportingComponent;
  return source?.host === undefined || source.host === '' ? component : `${component}, ${source.host}`;
}
