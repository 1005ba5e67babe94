import { type Grown, type GrowthPoint, type Request, requests } from './growth.ts';

const panel = { width: 300, height: 220, left: 52, top: 34, bottom: 36, gap: 16 } as const;
const colours: Readonly<Record<Request, string>> = {
  GET: '#1b6ca8',
  create: '#c8553d',
  'LIST of 100 by label': '#3a7d44',
};

type Growth = Readonly<Record<Grown, readonly GrowthPoint[]>>;

/** Microseconds a request against what grows, both on logarithmic scales, one panel for each thing that grows. */
export function drawGrowth(growth: Growth): string {
  const panels = Object.entries(growth).filter(([, points]) => points.length > 0) as [Grown, readonly GrowthPoint[]][];
  const costs = panels.flatMap(([, points]) => points.flatMap(({ cost }) => Object.values(cost)));
  const [low, high] = [Math.floor(Math.log10(Math.min(...costs))), Math.ceil(Math.log10(Math.max(...costs)))];
  const width = panels.length * (panel.width + panel.gap) + panel.gap;
  const body = panels.map(([what, points], index) => {
    const x = panel.gap + index * (panel.width + panel.gap);
    return `<g transform="translate(${x} 0)">${drawPanel(what, points, [low, high])}</g>`;
  });
  const height = panel.height + 30;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...body,
    legend(height),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(what: Grown, points: readonly GrowthPoint[], [low, high]: readonly [number, number]): string {
  const counts = points.map(({ count }) => Math.log10(count));
  const [first, last] = [counts[0]!, Math.max(counts.at(-1)!, counts[0]! + 1)];
  const right = panel.width - 12;
  const base = panel.height - panel.bottom;
  const x = (count: number): number =>
    panel.left + ((Math.log10(count) - first) / (last - first)) * (right - panel.left);
  const y = (cost: number): number => base - ((Math.log10(cost) - low) / (high - low)) * (base - panel.top);
  const parts = [`<text x="${panel.left}" y="20" font-weight="bold">${what} that the request does not touch</text>`];
  for (let power = low; power <= high; power++) {
    const at = y(10 ** power).toFixed(1);
    parts.push(`<line x1="${panel.left}" y1="${at}" x2="${right}" y2="${at}" stroke="#ddd"/>`);
    parts.push(
      `<text x="${panel.left - 6}" y="${at}" dy="4" text-anchor="end">${(10 ** power).toLocaleString('en')} µs</text>`,
    );
  }
  for (const { count } of points)
    parts.push(
      `<text x="${x(count).toFixed(1)}" y="${base + 16}" text-anchor="middle">${count.toLocaleString('en')}</text>`,
    );
  for (const request of requests) {
    const line = points.map(({ count, cost }) => `${x(count).toFixed(1)},${y(cost[request]).toFixed(1)}`);
    parts.push(`<polyline points="${line.join(' ')}" fill="none" stroke="${colours[request]}" stroke-width="2"/>`);
    for (const point of line) {
      const [cx, cy] = point.split(',');
      parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${colours[request]}"/>`);
    }
  }
  return parts.join('');
}

function legend(height: number): string {
  return requests
    .map((request, index) => {
      const x = panel.left + index * 170;
      return `<line x1="${x}" y1="${height - 14}" x2="${x + 18}" y2="${height - 14}" stroke="${colours[request]}" stroke-width="2"/><text x="${x + 24}" y="${height - 10}">${request}</text>`;
    })
    .join('');
}

/** The same figures as a table. */
export function growthTable(growth: Growth): string {
  const rows = Object.entries(growth).flatMap(([what, points]) =>
    points.map(({ count, cost }) => {
      const costs = requests.map((request) => `${Math.round(cost[request]).toLocaleString('en')} µs`);
      return `| ${count.toLocaleString('en')} ${what} | ${costs.join(' | ')} |`;
    }),
  );
  return [`| beside | ${requests.join(' | ')} |`, `|---|${requests.map(() => '---|').join('')}`, ...rows].join('\n');
}
