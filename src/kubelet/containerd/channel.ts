import { credentials, Client as GrpcClient, status as grpcStatus, Metadata, type ServiceError } from '@grpc/grpc-js';
import { CriError, type CriErrorCode } from '../cri/cri.ts';

/** Answers of the runtime may be this long: lists of many containers with their annotations, and output of execSync. */
const maxAnswerBytes = 32 * 1024 * 1024;

/** A gRPC connection over a unix socket. Connects when first used, and again by itself when the runtime comes back. */
export class GrpcChannel {
  readonly #client: GrpcClient;

  constructor(socketPath: string) {
    this.#client = new GrpcClient(`unix:${socketPath}`, credentials.createInsecure(), {
      // A socket's path makes no valid authority, which the server checks.
      'grpc.default_authority': 'localhost',
      'grpc.max_receive_message_length': maxAnswerBytes,
      'grpc.max_send_message_length': maxAnswerBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  /** @param method for example `/runtime.v1.RuntimeService/Version`. Throws CriError, or the signal's reason. */
  call(method: string, request: Buffer, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const call = this.#client.makeUnaryRequest(
        method,
        identity,
        identity,
        request,
        new Metadata(),
        {},
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (signal.aborted) reject(signal.reason);
          else if (error !== null) reject(criError(error));
          else resolve(answer ?? Buffer.alloc(0));
        },
      );
      const cancel = () => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** A call whose answers keep coming, until the signal aborts (ends quietly) or the server ends it. */
  async *stream(method: string, request: Buffer, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    if (signal.aborted) return;
    const call = this.#client.makeServerStreamRequest(method, identity, identity, request, new Metadata(), {});
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const answer of call) yield answer as Buffer;
    } catch (error) {
      if (signal.aborted) return;
      throw criError(error as ServiceError);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}

const codes: ReadonlyMap<grpcStatus, CriErrorCode> = new Map([
  [grpcStatus.INVALID_ARGUMENT, 'InvalidArgument'],
  [grpcStatus.DEADLINE_EXCEEDED, 'DeadlineExceeded'],
  [grpcStatus.NOT_FOUND, 'NotFound'],
  [grpcStatus.ALREADY_EXISTS, 'AlreadyExists'],
  [grpcStatus.PERMISSION_DENIED, 'PermissionDenied'],
  [grpcStatus.RESOURCE_EXHAUSTED, 'ResourceExhausted'],
  [grpcStatus.FAILED_PRECONDITION, 'FailedPrecondition'],
  [grpcStatus.UNIMPLEMENTED, 'Unimplemented'],
  [grpcStatus.INTERNAL, 'Internal'],
  [grpcStatus.UNAVAILABLE, 'Unavailable'],
  [grpcStatus.UNAUTHENTICATED, 'Unauthenticated'],
]);

function criError(error: ServiceError): CriError {
  return new CriError(codes.get(error.code) ?? 'Unknown', error.details || error.message);
}
