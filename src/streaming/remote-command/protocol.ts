import type { JsonObject } from '#machinery/meta.ts';
import type { ProcessExit } from '#machinery/node-api.ts';

/** Which of its streams a client wants connected. With a TTY stderr comes on stdout. */
export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Subprotocols over SPDY, best first. From v3 on the terminal can be resized, from v4 on the status is JSON. */
export const spdyCommandProtocols = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

/** Subprotocols over WebSocket. v5 is v4 plus a channel that closes another. */
export const webSocketCommandProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
] as const;

/** The first byte of a WebSocket message says which stream it belongs to. */
export const commandChannel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The header by which SPDY clients and servers agree on a subprotocol. */
export const streamProtocolHeader = 'x-stream-protocol-version';

/** SPDY streams name their purpose in this header. */
export const streamTypeHeader = 'streamtype';

const internalErrorPrefix = 'Internal error occurred: ';

/** The Status that ends a command in protocol v4 and later, as the kubelet writes it. */
export function statusOfExit(exit: ProcessExit): JsonObject {
  if (exit.outcome === 'failed') {
    const message = exit.message.startsWith(internalErrorPrefix) ? exit.message : internalErrorPrefix + exit.message;
    return { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
  }
  if (exit.code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exit.code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exit.code) }] },
  };
}

/** What the bytes of the error stream say about the command. Nothing at all means that it went well. */
export function exitOfStatus(text: string, { isJson }: { readonly isJson: boolean }): ProcessExit {
  if (!isJson) return text === '' ? { outcome: 'exited', code: 0 } : { outcome: 'failed', message: text };
  const status = parseStatus(text);
  if (status === undefined) return { outcome: 'failed', message: text };
  if (status.status === 'Success') return { outcome: 'exited', code: 0 };
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  const code = status.reason === 'NonZeroExitCode' ? Number(cause?.message) : Number.NaN;
  if (Number.isInteger(code)) return { outcome: 'exited', code };
  return { outcome: 'failed', message: status.message ?? text };
}

interface ExitStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

function parseStatus(text: string): ExitStatus | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

export function encodeResize({ width, height }: TerminalSize): Uint8Array {
  return Buffer.from(JSON.stringify({ Width: width, Height: height }));
}

/** A longer resize event is not one. */
const maxResizeBytes = 1024;

/** Terminal sizes out of a stream of JSON objects that follow one another, cut anywhere. Ends at the first nonsense. */
export async function* decodeResizes(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TerminalSize, void, undefined> {
  let text = '';
  for await (const chunk of bytes) {
    text += Buffer.from(chunk).toString('utf8');
    for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
      const size = parseSize(text.slice(0, end + 1));
      if (size === undefined) return;
      yield size;
      text = text.slice(end + 1);
    }
    if (text.length > maxResizeBytes) return;
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { readonly Width?: unknown; readonly Height?: unknown };
    return isDimension(Width) && isDimension(Height) ? { width: Width, height: Height } : undefined;
  } catch {
    return undefined;
  }
}

function isDimension(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff;
}
