/** One record of a container's log file, as CRI prescribes it: `<time> <stream> <tag> <content>`. */
export interface LogRecord {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The line goes on in the next record of the same stream. */
  readonly isPartial: boolean;
  readonly content: Uint8Array;
}

const space = 0x20;

/** Reads a record (without its line end); undefined when the line is none. */
export function parseLogRecord(line: Uint8Array): LogRecord | undefined {
  const first = line.indexOf(space);
  const second = first < 0 ? -1 : line.indexOf(space, first + 1);
  const third = second < 0 ? -1 : line.indexOf(space, second + 1);
  if (second < 0) return undefined;
  const tagEnd = third < 0 ? line.length : third;
  const stream = text(line.subarray(first + 1, second));
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  // Tags may be followed by others after a colon.
  const tag = text(line.subarray(second + 1, tagEnd)).split(':')[0];
  if (tag !== 'P' && tag !== 'F') return undefined;
  return {
    time: text(line.subarray(0, first)),
    stream,
    isPartial: tag === 'P',
    content: third < 0 ? new Uint8Array() : line.subarray(third + 1),
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
