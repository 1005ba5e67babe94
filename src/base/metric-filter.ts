/** Which metrics are not shown, and which values of their labels are. */
export interface MetricFilterOptions {
  /** Names of metrics that are left out. */
  readonly disabled?: readonly string[];
  /** By `METRIC,LABEL`: the values that are shown; all others are one, `unexpected`. */
  readonly allowedLabels?: Readonly<Record<string, readonly string[]>>;
}

const unexpected = 'unexpected';
const seriesParts = /_(?:bucket|sum|count)$/;

/** Narrows a page of metrics in Prometheus' text form down; undefined where everything is shown. */
export function metricFilter({
  disabled = [],
  allowedLabels = {},
}: MetricFilterOptions): ((page: string) => string) | undefined {
  const hidden = new Set(disabled);
  const allowed = new Map<string, Map<string, ReadonlySet<string>>>();
  for (const [key, values] of Object.entries(allowedLabels)) {
    const [metric = '', label = ''] = key.split(',');
    const labels = allowed.get(metric) ?? new Map<string, ReadonlySet<string>>();
    allowed.set(metric, labels.set(label, new Set(values)));
  }
  if (hidden.size === 0 && allowed.size === 0) return undefined;
  return (page) =>
    blocksOf(page)
      .filter(({ name }) => !hidden.has(name))
      .flatMap(({ name, lines }) => {
        const labels = allowed.get(name);
        return labels === undefined ? lines : withAllowed(lines, labels);
      })
      .map((line) => `${line}\n`)
      .join('');
}

interface Block {
  readonly name: string;
  readonly lines: string[];
}

/** The lines of each metric: its heading, and its series. */
function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const line of page.split('\n')) {
    if (line === '') continue;
    const heading = /^# HELP (\S+)/.exec(line)?.[1];
    if (heading !== undefined) blocks.push({ name: heading, lines: [] });
    const last = blocks.at(-1);
    if (last === undefined) blocks.push({ name: nameOf(line), lines: [line] });
    else last.lines.push(line);
  }
  return blocks;
}

function nameOf(line: string): string {
  return (/^[^{ ]+/.exec(line)?.[0] ?? '').replace(seriesParts, '');
}

/** Series that are the same without what may not be told are one. */
function withAllowed(lines: readonly string[], labels: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const sums = new Map<string, number>();
  const headings = lines.filter((line) => line.startsWith('#'));
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    const end = line.lastIndexOf(' ');
    const series = line
      .slice(0, end)
      .replaceAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g, (whole, label: string, value: string) => {
        const values = labels.get(label);
        return values === undefined || values.has(value) ? whole : `${label}="${unexpected}"`;
      });
    sums.set(series, (sums.get(series) ?? 0) + Number(line.slice(end + 1)));
  }
  return [...headings, ...[...sums].map(([series, value]) => `${series} ${value}`)];
}
