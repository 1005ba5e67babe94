import type { Container } from '#kinds/generated/types/core_v1.ts';
import { formatLabelSelector, formatLabels, type Labels } from '#machinery/labels.ts';
import type { ApiObject, LabelSelector } from '#machinery/meta.ts';
import { ageOf } from '#machinery/time.ts';

/** What tables of several kinds have in common. */

/** The age of an object, as in `3d2h`. */
export function age(object: ApiObject, now: number): string {
  return ageOf(object.metadata.creationTimestamp, now);
}

export function name(object: ApiObject): string {
  return object.metadata.name ?? '';
}

/** `a,b` for the names and for the images of containers. */
export function containerCells(containers: readonly Container[] | undefined): [names: string, images: string] {
  const list = containers ?? [];
  return [list.map((container) => container.name).join(','), list.map((container) => container.image ?? '').join(',')];
}

/** Exact labels, `<none>` where there are none. */
export function labelsCell(labels: Labels | undefined): string {
  return formatLabels(labels) || '<none>';
}

/** A selector as text, `<none>` where it selects everything or nothing. */
export function selectorCell(selector: LabelSelector | undefined): string {
  if (selector === undefined) return '<none>';
  try {
    return formatLabelSelector(selector) || '<none>';
  } catch {
    return '<error>';
  }
}

/** The first items, and how many more there are. */
export function listWithMore(items: readonly string[], shown: number, nothing: string): string {
  if (items.length === 0) return nothing;
  const text = items.slice(0, shown).join(',');
  return items.length > shown ? `${text} + ${items.length - shown} more...` : text;
}
