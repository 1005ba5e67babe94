import type { Awaitable } from '../authorization/authorizer.ts';

/** One way to seal values. `context` is the value's key in the store: some bind the value to its place. */
export interface Transformer {
  /** @throws Error when nothing can be sealed now. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** @throws Error for what it did not seal. */
  open(stored: Uint8Array, context: string): Awaitable<Uint8Array>;
  /** Changes when values sealed before should be sealed anew, as when a KMS has a new key. */
  readonly generation?: () => string;
}

/** A transformer under the prefix that its values begin with. */
export interface Provider {
  /** For example `k8s:enc:aesgcm:v1:key1:`; '' stores values as they are. */
  readonly prefix: string;
  readonly transformer: Transformer;
}

export const encryptedPrefix = 'k8s:enc:';

/** Values as they are. */
export const identity: Provider = {
  prefix: '',
  transformer: { seal: (plain) => plain, open: (stored) => stored },
};
