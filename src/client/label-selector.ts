import type { LabelSelector, LabelSelectorRequirement } from '#machinery/meta.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelMatch = (labels: Labels | undefined) => boolean;

/** The test that a label selector stands for. An absent selector matches nothing, an empty one everything. */
export function labelMatch(selector: LabelSelector | undefined): LabelMatch {
  if (selector === undefined) return () => false;
  const wanted = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  return (labels = {}) =>
    wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    expressions.every((expression) => requirementMatches(expression, labels));
}

/** The test of a plain map, as services and replication controllers use: every pair must be there. */
export function mapMatch(selector: Labels | undefined): LabelMatch {
  return labelMatch(selector === undefined ? undefined : { matchLabels: selector });
}

function requirementMatches({ key, operator, values = [] }: LabelSelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
