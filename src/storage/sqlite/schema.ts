import type { DatabaseSync } from 'node:sqlite';

/**
 * `log` has a row for each write until it is compacted. `superseded` is the revision that replaced the row, so the
 * state at revision R is the rows with `revision <= R` and `superseded` absent or beyond R, and a row can be
 * forgotten once nobody may read a revision before its successor.
 */
export function prepareSchema(database: DatabaseSync): void {
  database.exec(`
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 500;
    CREATE TABLE IF NOT EXISTS log (
      revision INTEGER PRIMARY KEY,
      key TEXT NOT NULL,
      create_revision INTEGER NOT NULL,
      superseded INTEGER,
      value BLOB
    );
    CREATE INDEX IF NOT EXISTS log_superseded ON log (superseded) WHERE superseded IS NOT NULL;
    CREATE INDEX IF NOT EXISTS log_deleted ON log (revision) WHERE value IS NULL;
    CREATE INDEX IF NOT EXISTS log_key ON log (key, revision);
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  `);
}

/** The revision up to which the database has forgotten; 0 when it never did. */
export function compactedRevision(database: DatabaseSync): number {
  const row = database.prepare("SELECT value FROM meta WHERE name = 'compacted'").get();
  return Number(row?.['value'] ?? 0);
}

/** The revision of the last write. Its row may have been compacted, or the database have leapt ahead of its rows. */
export function lastRevision(database: DatabaseSync): number {
  const rows = database.prepare('SELECT max(revision) AS last FROM log UNION ALL SELECT max(value) FROM meta').all();
  return Math.max(...rows.map(({ last }) => Number(last ?? 0)));
}

/** Goes on from `revision`, with nothing to be read before it. */
export function leapTo(database: DatabaseSync, revision: number): void {
  const set = database.prepare(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  set.run('revision', revision);
  set.run('compacted', revision);
}
