import { watch } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { parseTime } from '#machinery/time.ts';
import type { ContainerLogs, ContainerLogTarget, LogOptions } from '../host/host.ts';
import { type LogRecord, parseLogRecord } from './log-line.ts';

const chunkBytes = 64 * 1024;
const newline = 0x0a;
/** Following does not rely on the watcher alone: not every file system tells of changes. */
const pollMs = 1_000;

/** Logs as the runtime writes them into files of the node. */
export function fileLogs(clock: Clock): ContainerLogs {
  return {
    read: (target, options, signal) => readLog(clock, target, options, signal),
    async remove(path) {
      const directory = dirname(path);
      const names = await readdir(directory).catch(() => []);
      const own = names.filter((name) => name === basename(path) || name.startsWith(`${basename(path)}.`));
      await Promise.all(own.map((name) => rm(join(directory, name), { force: true })));
    },
    async tail(path, limits) {
      const file = await open(path, 'r').catch(() => undefined);
      if (file === undefined) return '';
      try {
        const { size } = await file.stat();
        const start = await tailOffset(file, size, limits.lines);
        const parts: Uint8Array[] = [];
        for await (const line of linesOf(file, start)) {
          const record = parseLogRecord(line);
          if (record === undefined) continue;
          parts.push(record.content);
          if (!record.isPartial) parts.push(Buffer.from('\n'));
        }
        const all = Buffer.concat(parts);
        return all.subarray(Math.max(0, all.length - limits.bytes)).toString('utf8');
      } finally {
        await file.close();
      }
    },
  };
}

async function* readLog(
  clock: Clock,
  target: ContainerLogTarget,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let file = await open(target.path, 'r');
  const format = new LogFormatter(options);
  const changes = options.follow ? watchChanges(clock, target.path, signal) : undefined;
  try {
    const { size } = await file.stat();
    let position = options.tailLines === undefined ? 0 : await tailOffset(file, size, options.tailLines);
    for (;;) {
      // Asked before reading: what is written until the container ends is still read after it has ended.
      const mayGrow = target.isRunning();
      for await (const line of linesOf(file, position)) {
        position += line.length + 1;
        const bytes = format.line(line);
        if (bytes !== undefined) yield bytes;
        if (format.isFull) return;
      }
      if (!options.follow || signal.aborted) return;
      const successor = await successorOf(file, target.path);
      if (successor !== undefined) {
        await file.close();
        file = successor;
        position = 0;
        continue;
      }
      if (!mayGrow) return;
      await changes!.next();
    }
  } finally {
    changes?.close();
    await file.close();
  }
}

/** After a rotation another file has the name. */
async function successorOf(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const [current, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  if (named === undefined || named.ino === current.ino) return undefined;
  return open(path, 'r').catch(() => undefined);
}

interface Changes {
  /** Resolves when the file may have changed. */
  next(): Promise<void>;
  close(): void;
}

function watchChanges(clock: Clock, path: string, signal: AbortSignal): Changes {
  let wake = (): void => {};
  let hasChanged = false;
  const notify = () => {
    hasChanged = true;
    wake();
  };
  // The directory, because a rotation replaces the file.
  const watcher = watch(dirname(path), notify);
  watcher.on('error', notify);
  signal.addEventListener('abort', notify, { once: true });
  return {
    async next() {
      if (!hasChanged) {
        await new Promise<void>((resolve) => {
          const timer = clock.schedule(pollMs, resolve);
          wake = () => {
            timer.cancel();
            resolve();
          };
        });
      }
      hasChanged = false;
    },
    close() {
      watcher.close();
      signal.removeEventListener('abort', notify);
    },
  };
}

/** Whole lines from an offset to the present end of the file, without their line ends. */
async function* linesOf(file: FileHandle, from: number): AsyncIterable<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  let position = from;
  for (;;) {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    let data: Buffer = buffer.subarray(0, bytesRead);
    if (rest.length > 0) data = Buffer.concat([rest, data]);
    let start = 0;
    for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline, start)) {
      yield data.subarray(start, end);
      start = end + 1;
    }
    rest = data.subarray(start);
  }
}

/** Where the last `lines` lines begin, found from the end: a large file is not read whole. */
async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  let found = 0;
  let position = size;
  while (position > 0) {
    const length = Math.min(chunkBytes, position);
    position -= length;
    const buffer = Buffer.alloc(length);
    await file.read(buffer, 0, length, position);
    for (let index = length - 1; index >= 0; index--) {
      if (buffer[index] !== newline || position + index === size - 1) continue;
      found++;
      if (found === lines) return position + index + 1;
    }
  }
  return 0;
}

/** Turns records into what `kubectl logs` prints. */
class LogFormatter {
  readonly #options: LogOptions;
  #left: number;
  /** The stream whose line is not finished: its next record gets no time in front. */
  readonly #isOpen = { stdout: false, stderr: false };
  #isPast: boolean;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
    this.#isPast = options.sinceMs === undefined;
  }

  get isFull(): boolean {
    return this.#left <= 0;
  }

  line(line: Uint8Array): Uint8Array | undefined {
    const record = parseLogRecord(line);
    if (record === undefined || !this.#isWanted(record)) return undefined;
    const parts: Uint8Array[] = [];
    if (this.#options.timestamps && !this.#isOpen[record.stream]) parts.push(Buffer.from(`${record.time} `));
    this.#isOpen[record.stream] = record.isPartial;
    parts.push(record.content);
    if (!record.isPartial) parts.push(Buffer.from('\n'));
    const bytes = Buffer.concat(parts);
    const kept = bytes.subarray(0, Math.min(bytes.length, this.#left));
    this.#left -= kept.length;
    return kept.length === 0 ? undefined : kept;
  }

  #isWanted({ time, stream }: LogRecord): boolean {
    if (this.#options.stream !== 'all' && this.#options.stream !== stream) return false;
    // Records stand in the order of time, so one that is young enough ends the search.
    if (!this.#isPast) this.#isPast = parseTime(time) >= this.#options.sinceMs!;
    return this.#isPast;
  }
}
