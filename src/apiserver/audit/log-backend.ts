import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Batches, BatchOptions } from '#base/batches.ts';
import type { Environment } from '#base/environment.ts';
import { auditBatches } from './batches.ts';
import { type AuditBackend, type AuditEvent, AuditFailure, legacyLine } from './event.ts';
import type { TruncationOptions } from './truncation.ts';

export interface AuditLogOptions {
  /** `-` is the standard output (`--audit-log-path`). */
  readonly path: string;
  readonly format?: 'json' | 'legacy';
  /** Blocking: the event is written before the request goes on. */
  readonly mode?: 'blocking' | 'blocking-strict' | 'batch';
  readonly batch?: Partial<BatchOptions>;
  /** Absent: events are written as they are. */
  readonly truncation?: TruncationOptions;
  /** Megabytes of a file before the next begins; 0 means 100. */
  readonly maxSizeMegabytes?: number;
  /** Files kept besides the current one; 0 means all. */
  readonly maxBackups?: number;
  /** Days for which files are kept; 0 means for ever. */
  readonly maxAgeDays?: number;
}

const megabyte = 1024 * 1024;
const defaultSizeMegabytes = 100;
const dayMs = 24 * 3600 * 1000;
const defaultBatch: BatchOptions = { bufferSize: 10_000, maxSize: 1, maxWaitMs: 0 };

/** Events as lines of a file that begins anew when it has become too long. */
export class AuditLog implements AuditBackend {
  readonly #options: AuditLogOptions;
  readonly #environment: Environment;
  readonly #batches: Batches<AuditEvent> | undefined;
  #file: number;
  #size: number;

  /** @throws Error when the file cannot be opened. */
  constructor(options: AuditLogOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#file = options.path === '-' ? 1 : openSync(options.path, 'a', 0o600);
    this.#size = options.path === '-' ? 0 : fstatSync(this.#file).size;
    const batch = { ...defaultBatch, ...options.batch };
    const deliver = (events: readonly AuditEvent[]) => this.#append(events);
    this.#batches = options.mode === 'batch' ? auditBatches(batch, environment, deliver) : undefined;
  }

  write(event: AuditEvent): void {
    if (this.#batches !== undefined) return void this.#batches.add(event);
    try {
      this.#append([event]);
    } catch (error) {
      if (this.#options.mode !== 'blocking-strict') throw error;
      this.#environment.log.error('audit events are lost', { events: 1, error: String(error) });
      throw new AuditFailure();
    }
  }

  async close(): Promise<void> {
    await this.#batches?.close();
    if (this.#options.path !== '-') closeSync(this.#file);
  }

  #append(events: readonly AuditEvent[]): void {
    const line = this.#options.format === 'legacy' ? legacyLine : (event: AuditEvent) => JSON.stringify(event);
    const bytes = Buffer.from(events.map((event) => `${line(event)}\n`).join(''));
    const { path, maxSizeMegabytes = 0 } = this.#options;
    const limit = (maxSizeMegabytes === 0 ? defaultSizeMegabytes : maxSizeMegabytes) * megabyte;
    if (path !== '-' && this.#size > 0 && this.#size + bytes.length > limit) this.#rotate(path);
    writeSync(this.#file, bytes);
    this.#size += bytes.length;
  }

  #rotate(path: string): void {
    closeSync(this.#file);
    const now = this.#environment.clock.now();
    const stamp = new Date(now).toISOString().replaceAll(':', '-').replace('Z', '');
    const extension = extname(path);
    const stem = path.slice(0, path.length - extension.length);
    let backup = `${stem}-${stamp}${extension}`;
    for (let again = 1; existsSync(backup); again++) backup = `${stem}-${stamp}-${again}${extension}`;
    renameSync(path, backup);
    this.#file = openSync(path, 'a', 0o600);
    this.#size = 0;
    this.#removeOld(path, now);
  }

  #removeOld(path: string, now: number): void {
    const { maxBackups = 0, maxAgeDays = 0 } = this.#options;
    const extension = extname(path);
    const stem = `${basename(path, extension)}-`;
    const backups = readdirSync(dirname(path))
      .filter((name) => name.startsWith(stem) && name.endsWith(extension))
      .sort()
      .reverse()
      .map((name) => join(dirname(path), name));
    for (const [index, backup] of backups.entries()) {
      const tooMany = maxBackups > 0 && index >= maxBackups;
      const tooOld = maxAgeDays > 0 && statSync(backup).mtimeMs < now - maxAgeDays * dayMs;
      if (tooMany || tooOld) rmSync(backup, { force: true });
    }
  }
}
