import { name } from '#kinds/cells.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type * as events from '#kinds/generated/types/events_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import { ageOf } from '#machinery/time.ts';

/** What an event says, whichever group it came through. */
interface EventFacts {
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly count: number | undefined;
  readonly target: core.ObjectReference;
  readonly component: string;
  readonly host: string;
  readonly message: string;
}

export function coreEventCells(event: core.Event, now: number): readonly Cell[] {
  return cells(event, now, {
    first: event.firstTimestamp || event.eventTime || undefined,
    last: event.series?.lastObservedTime ?? (event.lastTimestamp || undefined),
    count: event.series?.count ?? event.count,
    target: event.involvedObject,
    component: event.source?.component || (event.reportingComponent ?? ''),
    host: event.source?.host || (event.reportingInstance ?? ''),
    message: event.message ?? '',
  });
}

export function eventCells(event: events.Event, now: number): readonly Cell[] {
  return cells(event, now, {
    first: event.deprecatedFirstTimestamp || event.eventTime || undefined,
    last: event.series?.lastObservedTime ?? (event.deprecatedLastTimestamp || undefined),
    count: event.series?.count ?? event.deprecatedCount,
    target: event.regarding ?? {},
    component: event.deprecatedSource?.component || (event.reportingController ?? ''),
    host: event.deprecatedSource?.host || (event.reportingInstance ?? ''),
    message: event.note ?? '',
  });
}

function cells(event: core.Event | events.Event, now: number, facts: EventFacts): readonly Cell[] {
  const first = ageOf(facts.first, now);
  const last = facts.last === undefined ? first : ageOf(facts.last, now);
  const kind = (facts.target.kind ?? '').toLowerCase();
  const target = (facts.target.name ?? '') === '' ? kind : `${kind}/${facts.target.name}`;
  const source = [facts.component, facts.host].filter((part) => part !== '').join(', ');
  return [
    last,
    event.type ?? '',
    event.reason ?? '',
    target,
    facts.target.fieldPath ?? '',
    source,
    facts.message.trim(),
    first,
    facts.count || 1,
    name(event),
  ];
}
