import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, type Pack, pack } from 'tar-stream';

/** A file or a folder as a tar whose first entry is called `name`. */
export async function* packFiles(path: string, name: string): AsyncGenerator<Uint8Array> {
  const archive = pack();
  const filling = addTo(archive, path, name).then(
    () => archive.finalize(),
    (error: Error) => archive.destroy(error),
  );
  for await (const chunk of archive) yield chunk as Uint8Array;
  await filling;
}

async function addTo(archive: Pack, path: string, name: string): Promise<void> {
  const stats = lstatSync(path);
  const { mode, mtime } = stats;
  if (stats.isSymbolicLink()) {
    archive.entry({ name, type: 'symlink', linkname: readlinkSync(path), mode, mtime });
    return;
  }
  if (stats.isDirectory()) {
    archive.entry({ name: `${name}/`, type: 'directory', mode, mtime });
    for (const entry of readdirSync(path).sort()) await addTo(archive, join(path, entry), `${name}/${entry}`);
    return;
  }
  const entry = archive.entry({ name, size: stats.size, mode, mtime });
  await pipeline(createReadStream(path), entry);
}

/**
 * Writes what a tar of `from` holds to `to`. Entries that would land outside of it are left out, and so are links:
 * the container may have been made by somebody else.
 */
export async function unpackFiles(
  stream: AsyncIterable<Uint8Array>,
  from: string,
  to: string,
  warn: (text: string) => void,
): Promise<void> {
  const prefix = from.replace(/^\/+/, '').replace(/\/+$/, '').replace(/^\.\//, '');
  const isFolder = statSync(to, { throwIfNoEntry: false })?.isDirectory() === true;
  const root = resolve(isFolder ? join(to, basename(prefix)) : to);
  const archive = extract();
  const writing = Readable.from(stream).pipe(archive);
  for await (const entry of archive) {
    const { header } = entry;
    const target = placeOf(header, prefix, root);
    if (target === undefined) {
      if (!header.name.startsWith(prefix)) warn(`tar contents corrupted: ${header.name}`);
      else warn(`warning: file "${header.name}" is outside target destination, skipping`);
      entry.resume();
    } else if (header.type === 'directory') {
      mkdirSync(target, { recursive: true });
      entry.resume();
    } else if (header.type === 'file' || header.type === 'contiguous-file') {
      mkdirSync(dirname(target), { recursive: true });
      await pipeline(entry, createWriteStream(target));
    } else {
      warn(`warning: skipping symlink: "${target}" -> "${header.linkname ?? ''}"`);
      entry.resume();
    }
  }
  if (!writing.destroyed) writing.destroy();
}

function placeOf({ name }: Header, prefix: string, root: string): string | undefined {
  const relative = name.replace(/^\/+/, '').replace(/^\.\//, '');
  if (relative !== prefix && relative !== `${prefix}/` && !relative.startsWith(`${prefix}/`)) return undefined;
  const target = resolve(root, `.${sep}${relative.slice(prefix.length)}`);
  return target === root || target.startsWith(root + sep) ? target : undefined;
}
