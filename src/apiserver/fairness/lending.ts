import type { PriorityLevelConfiguration } from '#kinds/generated/types/flowcontrol_v1.ts';
import type { Level } from './level.ts';

/** How fast a demand that is over is forgotten, each time that lending is decided; as upstream. */
const smoothing = 0.977;

/** Divides the server's seats among the levels by their shares, and says how far lending may go. */
export function assignNominalSeats(
  levels: readonly { readonly level: Level; readonly object: PriorityLevelConfiguration }[],
  serverSeats: number,
): void {
  let shares = 0;
  for (const { object } of levels) shares += sharesOf(object);
  for (const { level, object } of levels) {
    const { lendablePercent = 0 } = object.spec?.limited ?? object.spec?.exempt ?? {};
    const borrowingPercent = object.spec?.limited?.borrowingLimitPercent;
    const nominal = shares === 0 ? 0 : Math.ceil((serverSeats * sharesOf(object)) / shares);
    const max =
      level.isExempt || borrowingPercent === undefined
        ? serverSeats
        : nominal + Math.round((nominal * borrowingPercent) / 100);
    level.assign({ nominal, min: nominal - Math.round((nominal * lendablePercent) / 100), max });
  }
}

function sharesOf({ spec }: PriorityLevelConfiguration): number {
  return spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? 0;
}

/**
 * Moves seats from levels that do not need them to those that do: each has at least what it needs of its own, and
 * what is left is shared in proportion to what was wanted lately.
 * @returns that proportion
 */
export function lendSeats(levels: readonly Level[], serverSeats: number): number {
  const wishes = levels.map((level) => {
    const { average, deviation, highest } = level.takeDemand();
    const usual = average + deviation;
    level.smoothedDemand = Math.max(usual, smoothing * level.smoothedDemand + (1 - smoothing) * usual);
    const least = Math.max(level.minSeats, Math.min(level.nominalSeats, highest));
    const target = Math.max(least, level.smoothedDemand);
    level.targetSeats = target;
    return { level, least, target };
  });
  const free = serverSeats - wishes.filter(({ level }) => level.isExempt).reduce((sum, { least }) => sum + least, 0);
  const limited = wishes.filter(({ level }) => !level.isExempt);
  const seatsAt = (proportion: number): number[] =>
    limited.map(({ level, least, target }) => Math.min(level.maxSeats, Math.max(least, proportion * target)));
  const proportion = largestProportion((value) => seatsAt(value).reduce((sum, seats) => sum + seats, 0) <= free);
  for (const [index, seats] of seatsAt(proportion).entries()) {
    const { level } = limited[index]!;
    const before = level.seats;
    level.seats = Math.max(1, Math.round(seats));
    if (level.seats > before) level.dispatch();
  }
  return proportion;
}

/** The largest proportion that still fits, to within what rounding to whole seats hides. */
function largestProportion(fits: (proportion: number) => boolean): number {
  let low = 0;
  let high = 1;
  while (high < 1024 && fits(high)) high *= 2;
  for (let step = 0; step < 24; step++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
