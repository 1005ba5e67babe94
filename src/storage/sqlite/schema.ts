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

/** A number from `meta`, 0 when it was never set. */
export function readMeta(database: DatabaseSync, name: 'revision' | 'compacted'): number {
  const row = database.prepare('SELECT value FROM meta WHERE name = ?').get(name);
  return row === undefined ? 0 : Number(row['value']);
}
