import { type Labels, selects } from '#machinery/labels.ts';
import type { LabelSelector } from '#machinery/meta.ts';

export type LabelMatch = (labels: Labels | undefined) => boolean;

export function labelMatch(selector: LabelSelector | undefined): LabelMatch {
  return (labels) => selects(selector, labels);
}

/** The test of a plain map, as services and replication controllers use: every pair must be there. */
export function mapMatch(selector: Labels | undefined): LabelMatch {
  if (selector === undefined) return () => false;
  const wanted = Object.entries(selector);
  return (labels = {}) => wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
