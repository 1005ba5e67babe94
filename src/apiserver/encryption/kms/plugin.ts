import type { Client } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { bytesOf, decodeFields, encodeFields, mapFields, mapOf, textOf } from './messages.ts';

export interface KmsStatus {
  readonly version: string;
  readonly healthz: string;
  readonly keyId: string;
}

export interface KmsEncryption {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
  readonly annotations: ReadonlyMap<string, Uint8Array>;
}

const service = '/v2.KeyManagementService/';

/** A KMS v2 plugin behind a Unix socket: https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/ */
export class KmsPlugin {
  /** gRPC is loaded by those who have a plugin. */
  readonly #grpc = import('@grpc/grpc-js');
  readonly #client: Promise<Client>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(clock: Clock, { endpoint, timeoutMs }: { readonly endpoint: string; readonly timeoutMs: number }) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    const address = `unix:${endpoint.replace(/^unix:\/\//, '')}`;
    this.#client = this.#grpc.then(
      ({ Client, credentials }) =>
        new Client(address, credentials.createInsecure(), { 'grpc.default_authority': 'localhost' }),
    );
  }

  async status(): Promise<KmsStatus> {
    const fields = decodeFields(await this.#call('Status', Buffer.alloc(0)));
    return { version: textOf(fields, 1), healthz: textOf(fields, 2), keyId: textOf(fields, 3) };
  }

  async encrypt(plaintext: Uint8Array, uid: string): Promise<KmsEncryption> {
    const request = encodeFields([
      [1, plaintext],
      [2, Buffer.from(uid)],
    ]);
    const fields = decodeFields(await this.#call('Encrypt', request));
    return { ciphertext: bytesOf(fields, 1), keyId: textOf(fields, 2), annotations: mapOf(fields, 3) };
  }

  async decrypt({ ciphertext, keyId, annotations }: KmsEncryption, uid: string): Promise<Uint8Array> {
    const request = encodeFields([
      [1, ciphertext],
      [2, Buffer.from(uid)],
      [3, Buffer.from(keyId)],
      ...mapFields(4, annotations),
    ]);
    return bytesOf(decodeFields(await this.#call('Decrypt', request)), 1);
  }

  async #call(method: string, request: Buffer): Promise<Buffer> {
    const [client, { Metadata }] = await Promise.all([this.#client, this.#grpc]);
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, answer?: Buffer): void => {
        limit.cancel();
        if (error === null) resolve(answer ?? Buffer.alloc(0));
        else reject(error);
      };
      const call = client.makeUnaryRequest(`${service}${method}`, same, same, request, new Metadata(), {}, done);
      const limit = this.#clock.schedule(this.#timeoutMs, () => call.cancel());
    });
  }

  close(): void {
    void this.#client.then((client) => client.close());
  }
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
