export type Labels = Readonly<Record<string, string>>;

/** Text in the Prometheus exposition format, with the time of each sample where it is known. */
export class Exposition {
  #text = '';

  family(
    name: string,
    type: 'counter' | 'gauge',
    help: string,
  ): (labels: Labels, value: number, timeMs?: number) => void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    return (labels, value, timeMs) => {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
      const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
      this.#text += `${name}${set} ${value}${timeMs === undefined ? '' : ` ${Math.round(timeMs)}`}\n`;
    };
  }

  toString(): string {
    return this.#text;
  }
}
