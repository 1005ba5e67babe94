import type { ByteStream, RemoteProcess } from '#machinery/node-api.ts';

/** Which streams an exec or attach session opens. With a TTY there is no stderr. */
export interface StreamSet {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * Opens the addresses that `Cri.exec`, `Cri.attach` and `Cri.portForward` answer. An address is good for one session.
 * Implemented over SPDY/3.1 for containerd and in memory for simulated nodes.
 */
export interface CriStreams {
  /** The session behind an address from `exec` or `attach`. */
  process(url: string, streams: StreamSet, signal: AbortSignal): Promise<RemoteProcess>;
  /** One connection to `port` in the pod, behind an address from `portForward`. */
  portForward(url: string, port: number, signal: AbortSignal): Promise<ByteStream>;
}
