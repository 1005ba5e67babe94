import { type Stability, stabilityOf } from './metric-stability.ts';

/** Labels of one series. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Series that one metric may have: labels that a client chooses must not fill the memory. */
const maxSeries = 10_000;

interface Metric {
  render(): string;
  /** Begins to count anew; what is read elsewhere goes on. */
  reset?(): void;
}

/** Counters, gauges and histograms in Prometheus' text form. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** The counter of that name: the same for all who ask. */
  counter(name: string, help: string): Counter {
    const known = this.#metrics.get(name);
    return known instanceof Counter ? known : this.#add(name, new Counter(name, help));
  }

  /** The histogram of that name: the same for all who ask. @param upperBounds of the buckets, in rising order. */
  histogram(name: string, help: string, upperBounds: readonly number[]): Histogram {
    const known = this.#metrics.get(name);
    return known instanceof Histogram ? known : this.#add(name, new Histogram(name, help, upperBounds));
  }

  /** A value that is read when somebody asks. */
  gauge(name: string, help: string, read: () => Iterable<readonly [MetricLabels, number]>): void {
    this.#add(name, { render: () => readings(name, help, 'gauge', read) });
  }

  /** A count that somebody else keeps, read when somebody asks. */
  count(name: string, help: string, read: () => Iterable<readonly [MetricLabels, number]>): void {
    this.#add(name, { render: () => readings(name, help, 'counter', read) });
  }

  /** Histograms that somebody else keeps, read when somebody asks. */
  histograms(
    name: string,
    help: string,
    upperBounds: readonly number[],
    read: () => Iterable<readonly [MetricLabels, HistogramReading]>,
  ): void {
    const render = (): string => {
      const series = Array.from(read(), ([labels, reading]) => histogramLines(name, labels, upperBounds, reading));
      return heading(name, help, 'histogram') + series.join('');
    };
    this.#add(name, { render });
  }

  /** How many metrics there are, by what is promised of them. */
  stabilities(): ReadonlyMap<Stability, number> {
    const counts = new Map<Stability, number>();
    for (const name of this.#metrics.keys()) {
      const stability = stabilityOf(name);
      if (stability !== undefined) counts.set(stability, (counts.get(stability) ?? 0) + 1);
    }
    return counts;
  }

  render(): string {
    return [...this.#metrics.values()].map((metric) => metric.render()).join('');
  }

  reset(): void {
    for (const metric of this.#metrics.values()) metric.reset?.();
  }

  #add<T extends Metric>(name: string, metric: T): T {
    this.#metrics.set(name, metric);
    return metric;
  }
}

/** Takes one observation of a series that was looked up before. */
export type Series = (value: number) => void;

function readings(
  name: string,
  help: string,
  type: 'gauge' | 'counter',
  read: () => Iterable<readonly [MetricLabels, number]>,
): string {
  const lines = [...read()].map(([labels, value]) => `${name}${written(labels)} ${value}\n`);
  return heading(name, help, type) + lines.join('');
}

export class Counter implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #series = new Map<string, { value: number }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: MetricLabels, amount = 1): void {
    const cell = this.#cell(written(labels));
    if (cell !== undefined) cell.value += amount;
  }

  /** The series of these labels, for who adds to it often. It shows once there is something to show. */
  series(labels: MetricLabels): Series {
    let cell: { value: number } | undefined;
    return (amount) => {
      cell ??= this.#cell(written(labels));
      if (cell !== undefined) cell.value += amount;
    };
  }

  #cell(key: string): { value: number } | undefined {
    let cell = this.#series.get(key);
    if (cell === undefined) {
      if (this.#series.size >= maxSeries) return undefined;
      cell = { value: 0 };
      this.#series.set(key, cell);
    }
    return cell;
  }

  /** Those who hold a series go on counting in it. */
  reset(): void {
    for (const cell of this.#series.values()) cell.value = 0;
  }

  render(): string {
    return (
      heading(this.#name, this.#help, 'counter') +
      [...this.#series].map(([labels, { value }]) => `${this.#name}${labels} ${value}\n`).join('')
    );
  }
}

/** Bounds of buckets that each are `factor` times the one before. */
export function exponentialBounds(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start * factor ** index);
}

/** What one series of a histogram shows: how many came into each bucket, the last one apart. */
export interface HistogramReading {
  readonly buckets: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Many observations that are made together, over and over: counted once by bucket, they are added as one. */
export type Tally = (values: readonly number[]) => HistogramReading;

interface HistogramSeries extends HistogramReading {
  readonly labels: MetricLabels;
  readonly buckets: number[];
  sum: number;
  count: number;
}

class Histogram implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #upperBounds: readonly number[];
  readonly #series = new Map<string, HistogramSeries>();

  constructor(name: string, help: string, upperBounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#upperBounds = upperBounds;
  }

  observe(labels: MetricLabels, value: number): void {
    this.#observe(this.#seriesOf(labels), value);
  }

  /** The series of these labels, for who observes it often. It shows once there is something to show. */
  series(labels: MetricLabels): Series {
    let series: HistogramSeries | undefined;
    return (value) => {
      series ??= this.#seriesOf(labels);
      this.#observe(series, value);
    };
  }

  /** What several values come to. */
  readonly tally: Tally = (values) => {
    const reading = this.#nothing({});
    for (const value of values) this.#observe(reading, value);
    return reading;
  };

  /** As `series`, for what was tallied. */
  tallied(labels: MetricLabels): (reading: HistogramReading) => void {
    let series: HistogramSeries | undefined;
    return ({ buckets, sum, count }) => {
      series ??= this.#seriesOf(labels);
      if (series === undefined) return;
      series.sum += sum;
      series.count += count;
      for (let bucket = 0; bucket < buckets.length; bucket++) series.buckets[bucket]! += buckets[bucket]!;
    };
  }

  #nothing(labels: MetricLabels): HistogramSeries {
    return { labels, buckets: this.#upperBounds.map(() => 0), sum: 0, count: 0 };
  }

  #seriesOf(labels: MetricLabels): HistogramSeries | undefined {
    const key = written(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= maxSeries) return undefined;
      series = this.#nothing(labels);
      this.#series.set(key, series);
    }
    return series;
  }

  #observe(series: HistogramSeries | undefined, value: number): void {
    if (series === undefined) return;
    series.sum += value;
    series.count++;
    const bounds = this.#upperBounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    if (bucket < bounds.length) series.buckets[bucket]!++;
  }

  /** Those who hold a series go on observing in it. */
  reset(): void {
    for (const series of this.#series.values()) {
      series.buckets.fill(0);
      series.sum = 0;
      series.count = 0;
    }
  }

  render(): string {
    const series = [...this.#series.values()].map((one) =>
      histogramLines(this.#name, one.labels, this.#upperBounds, one),
    );
    return heading(this.#name, this.#help, 'histogram') + series.join('');
  }
}

function histogramLines(
  name: string,
  labels: MetricLabels,
  upperBounds: readonly number[],
  { buckets, sum, count }: HistogramReading,
): string {
  let text = '';
  let running = 0;
  for (const [index, bound] of upperBounds.entries()) {
    running += buckets[index]!;
    text += `${name}_bucket${written({ ...labels, le: String(bound) })} ${running}\n`;
  }
  text += `${name}_bucket${written({ ...labels, le: '+Inf' })} ${count}\n`;
  return `${text}${name}_sum${written(labels)} ${sum}\n${name}_count${written(labels)} ${count}\n`;
}

function heading(name: string, help: string, type: string): string {
  const stability = stabilityOf(name);
  return `# HELP ${name} ${stability === undefined ? '' : `[${stability}] `}${help}\n# TYPE ${name} ${type}\n`;
}

function written(labels: MetricLabels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return '';
  return `{${entries.map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`).join(',')}}`;
}
