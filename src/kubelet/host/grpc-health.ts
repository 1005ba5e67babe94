import { formatDuration } from '#machinery/time.ts';
import type { GrpcHealth, NetworkTarget } from './host.ts';

const statuses: readonly GrpcHealth[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const path = '/grpc.health.v1.Health/Check';

/** Asks a gRPC server for its health. The library is only loaded when a pod has such a probe. */
export async function grpcHealth(
  target: NetworkTarget & { readonly service: string },
  nowMs: number,
  signal: AbortSignal,
): Promise<GrpcHealth> {
  const grpc = await import('@grpc/grpc-js');
  const address = target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  try {
    return await new Promise<GrpcHealth>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path,
        (service: string) => encodeService(service),
        decodeStatus,
        target.service,
        new grpc.Metadata(),
        { deadline: nowMs + target.timeoutMs },
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else if (error?.code === grpc.status.UNAVAILABLE || error?.code === grpc.status.DEADLINE_EXCEEDED)
            reject(
              new Error(
                `timeout: failed to connect service ${JSON.stringify(address)} within ${formatDuration(target.timeoutMs)}: context deadline exceeded`,
              ),
            );
          else if (error?.code === grpc.status.UNIMPLEMENTED)
            reject(
              new Error(
                `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`,
              ),
            );
          else reject(new Error(`error: health rpc probe failed: ${error?.message ?? 'no answer'}`));
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}

/** HealthCheckRequest: field 1 is the service's name, at most 127 bytes long by the API's rules. */
function encodeService(service: string): Buffer {
  const bytes = Buffer.from(service);
  return bytes.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
}

/** HealthCheckResponse: field 1 is the status. */
function decodeStatus(bytes: Buffer): GrpcHealth {
  return statuses[bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0] ?? 'UNKNOWN';
}
