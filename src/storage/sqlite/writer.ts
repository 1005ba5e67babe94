/**
 * The writer thread: the only connection that writes. One transaction for each batch, synced before it is answered.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWriter, Rows, ToWriter, WriterData } from './messages.ts';
import { prepareSchema } from './schema.ts';

/** Rows that one compaction transaction removes, so that writers behind it wait for milliseconds at most. */
const compactionSlice = 1000;
/** Free pages that one transaction gives back to the disk, and those that stay for what is written next. */
const returnedPages = 1000;
const sparePages = 1000;

const { file, durable } = workerData as WriterData;
const port = parentPort!;
const database = new DatabaseSync(file);
prepareSchema(database);
const insert = database.prepare('INSERT INTO log (revision, key, create_revision, value) VALUES (?, ?, ?, ?)');
const supersede = database.prepare('UPDATE log SET superseded = ? WHERE revision = ?');
const setCompacted = database.prepare(
  "INSERT INTO meta VALUES ('compacted', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
);
const removeSuperseded = database.prepare(
  'DELETE FROM log WHERE revision IN (SELECT revision FROM log WHERE superseded <= ? LIMIT ?)',
);
const removeDeleted = database.prepare(
  'DELETE FROM log WHERE revision IN (SELECT revision FROM log WHERE value IS NULL AND revision <= ? LIMIT ?)',
);

const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');

function transaction(work: () => void): string | undefined {
  try {
    begin.run();
    work();
    commit.run();
    return undefined;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    return error instanceof Error ? error.message : String(error);
  }
}

function write({ revisions, keys, createRevisions, previousRevisions, lengths, values }: Rows): void {
  let at = 0;
  for (const [index, revision] of revisions.entries()) {
    const length = lengths[index]!;
    const value = length < 0 ? null : values.subarray(at, at + length);
    at += Math.max(0, length);
    insert.run(revision, keys[index]!, createRevisions[index]!, value);
    if (previousRevisions[index]! > 0) supersede.run(revision, previousRevisions[index]!);
  }
}

function compactSlice(revision: number): void {
  let more = false;
  const failure = transaction(() => {
    const superseded = removeSuperseded.run(revision, compactionSlice).changes;
    const deleted = removeDeleted.run(revision, compactionSlice).changes;
    more = Number(superseded) === compactionSlice || Number(deleted) === compactionSlice;
    setCompacted.run(revision);
    if (more) return;
    const surplus = freePages() - sparePages;
    if (surplus > 0) database.exec(`PRAGMA incremental_vacuum(${Math.min(surplus, returnedPages)})`);
    more = surplus > returnedPages;
  });
  // The main thread asks for the next slice, so that writes that arrived meanwhile go between two.
  answer({ type: 'compacted', revision, more: more && failure === undefined });
}

function freePages(): number {
  return Number(database.prepare('PRAGMA freelist_count').get()?.['freelist_count'] ?? 0);
}

/** The main thread may see that a batch is durable before it comes to read the answer. */
function writeBatch(batch: number, rows: Rows): void {
  const failure = transaction(() => write(rows));
  if (failure === undefined) Atomics.store(durable, 0, batch);
  answer({ type: 'written', batch, failure });
}

function answer(message: FromWriter): void {
  port.postMessage(message);
}

port.on('message', (message: ToWriter) => {
  switch (message.type) {
    case 'write':
      writeBatch(message.batch, message.rows);
      return;
    case 'compact':
      compactSlice(message.revision);
      return;
    case 'close':
      database.close();
      answer({ type: 'closed' });
      port.close();
  }
});
answer({ type: 'opened' });
