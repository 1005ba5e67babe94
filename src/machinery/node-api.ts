/**
 * What a node offers the API server: the streams behind `log`, `exec`, `attach`, `portforward` and the node proxy.
 * The kubelet implements it; in one process the API server calls it directly, between machines over HTTPS.
 */
export interface NodeApi {
  /** Container output as it stands in the log, decoded to lines with optional timestamps. Throws ApiError. */
  logs(request: LogRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Starts a command in a running container. Throws ApiError when it cannot start. */
  exec(request: ExecRequest, signal: AbortSignal): Promise<RemoteProcess>;
  attach(request: AttachRequest, signal: AbortSignal): Promise<RemoteProcess>;
  /** One TCP connection to a port inside the pod. */
  portForward(request: PortForwardRequest, signal: AbortSignal): Promise<ByteStream>;
  /** The kubelet's own HTTP paths: /healthz, /pods, /stats/summary, /metrics, /metrics/resource, /configz, /logs/… */
  http(request: NodeHttpRequest, signal: AbortSignal): Promise<NodeHttpResponse>;
}

export interface PodTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface LogRequest extends PodTarget {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** 'All' (default), 'Stdout' or 'Stderr'. */
  readonly stream?: string;
}

export interface AttachRequest extends PodTarget {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface ExecRequest extends AttachRequest {
  readonly command: readonly string[];
}

export interface PortForwardRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** A two-way stream of bytes with half-close. Reading ends when the far side closed its half. */
export interface ByteStream {
  readonly readable: AsyncIterable<Uint8Array>;
  /** Resolves when more may be written: the back-pressure. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes our half. */
  end(): Promise<void>;
  /** Drops the whole stream. */
  destroy(): void;
}

/** A running command and its streams. */
export interface RemoteProcess {
  /** Present when stdin was asked for. */
  readonly stdin: { write(bytes: Uint8Array): Promise<void>; end(): Promise<void> } | undefined;
  readonly stdout: AsyncIterable<Uint8Array> | undefined;
  /** Absent with a TTY, where everything comes on stdout. */
  readonly stderr: AsyncIterable<Uint8Array> | undefined;
  resize(size: { readonly width: number; readonly height: number }): Promise<void>;
  /** Settles after the output has ended. */
  readonly exit: Promise<ProcessExit>;
  /** Drops the connection to the process. */
  destroy(): void;
}

export type ProcessExit =
  | { readonly outcome: 'exited'; readonly code: number }
  | { readonly outcome: 'failed'; readonly message: string };

export interface NodeHttpRequest {
  readonly method: string;
  /** Path and query, for example `/stats/summary?only_cpu_and_memory=true`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface NodeHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}
