import { createReadStream, readdirSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** Answers with a file of a folder; for a folder with its index.html, or with links to what is in it. */
export async function serveFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const place = placeOf(folder, path);
  const stat = place === undefined ? undefined : statSync(place, { throwIfNoEntry: false });
  if (place === undefined || stat === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    return;
  }
  if (!stat.isDirectory()) return sendFile(place, stat.size, response);
  const index = join(place, 'index.html');
  const indexStat = statSync(index, { throwIfNoEntry: false });
  if (indexStat !== undefined) return sendFile(index, indexStat.size, response);
  const links = readdirSync(place, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort()
    .map((name) => `<a href="${encodeURIComponent(name).replaceAll('%2F', '/')}">${escaped(name)}</a>\n`);
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`);
}

/** The path below the folder; undefined for one that is no path. */
function placeOf(folder: string, path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') ? undefined : join(folder, normalize(`/${decoded}`));
  } catch {
    return undefined;
  }
}

async function sendFile(path: string, bytes: number, response: ServerResponse): Promise<void> {
  const type = contentTypes[extname(path)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-length': bytes });
  await pipeline(createReadStream(path), response).catch(() => undefined);
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
