/** The five fields of a cron expression, with the range of each and the names it knows. */
const fields: readonly { readonly low: number; readonly high: number; readonly names?: readonly string[] }[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { low: 0, high: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const shorthands = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Why text is no cron schedule, in the words of the parser that Kubernetes uses; undefined when it is one. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith('@every ')) {
    const duration = schedule.slice('@every '.length);
    const isGood = /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(
      duration,
    );
    return isGood
      ? undefined
      : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`;
  }
  if (schedule.startsWith('@')) {
    return shorthands.includes(schedule) ? undefined : `unrecognized descriptor: ${schedule}`;
  }
  const parts = schedule.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== fields.length) {
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`;
  }
  for (const [index, part] of parts.entries()) {
    for (const range of part.split(',')) {
      const problem = rangeProblem(range, fields[index]!);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/** One of `*`, `5`, `1-5`, `mon-fri`, each perhaps with `/2`. */
function rangeProblem(range: string, field: (typeof fields)[number]): string | undefined {
  const [span = '', step, ...more] = range.split('/');
  if (more.length > 0) return `too many slashes: ${range}`;
  let [low, high] = [field.low, field.high];
  if (span !== '*' && span !== '?') {
    const ends = span.split('-');
    if (ends.length > 2) return `too many hyphens: ${range}`;
    const values = ends.map((end) => numberOf(end, field.names, field.low));
    const bad = values.findIndex((value) => Number.isNaN(value));
    if (bad >= 0)
      return `failed to parse int from ${ends[bad]}: strconv.Atoi: parsing ${JSON.stringify(ends[bad])}: invalid syntax`;
    low = values[0]!;
    high = values[1] ?? (step === undefined ? low : field.high);
  }
  if (step !== undefined) {
    if (!/^\d+$/.test(step))
      return `failed to parse int from ${step}: strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`;
    if (Number(step) === 0) return `step of range should be a positive number: ${range}`;
  }
  if (low < field.low) return `beginning of range (${low}) below minimum (${field.low}): ${range}`;
  if (high > field.high) return `end of range (${high}) above maximum (${field.high}): ${range}`;
  return low > high ? `beginning of range (${low}) beyond end of range (${high}): ${range}` : undefined;
}

function numberOf(text: string, names: readonly string[] | undefined, low: number): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + low;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
