import type { Awaitable } from '../authorization/authorizer.ts';
import { encryptedPrefix, type Provider } from './transformer.ts';

/** The providers of one resource in their order: the first writes, all read. */
export class Providers {
  readonly #providers: readonly { readonly provider: Provider; readonly prefix: Buffer }[];

  constructor(providers: readonly Provider[]) {
    this.#providers = providers.map((provider) => ({ provider, prefix: Buffer.from(provider.prefix) }));
  }

  /** What marks a value as sealed in the way in which it would be sealed now. */
  get currentMark(): string {
    return markOf(this.#providers[0]!.provider);
  }

  /** Whether what is sealed now can be opened without asking anybody. */
  get opensAtOnce(): boolean {
    return this.#providers[0]!.provider.transformer.generation === undefined;
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    const { provider, prefix } = this.#providers[0]!;
    const sealed = provider.transformer.seal(plain, context);
    return prefix.length === 0 ? sealed : Buffer.concat([prefix, sealed]);
  }

  /** The plain value and the mark of how it was sealed. @throws Error in upstream's words. */
  open(stored: Uint8Array, context: string): Awaitable<Opened> {
    const isSealed = startsWith(stored, sealedMark);
    for (const { provider, prefix } of this.#providers) {
      if (provider.prefix === '' ? isSealed : !startsWith(stored, prefix)) continue;
      const plain = provider.transformer.open(stored.subarray(prefix.length), context);
      const mark = markOf(provider);
      const opensAgain = provider.transformer.generation === undefined;
      return plain instanceof Promise
        ? plain.then((bytes) => ({ bytes, mark, opensAgain }))
        : { bytes: plain, mark, opensAgain };
    }
    throw new Error('no matching prefix found');
  }
}

export interface Opened {
  readonly bytes: Uint8Array;
  readonly mark: string;
  /** Whether it can be opened again at any time, without asking a service for its key. */
  readonly opensAgain: boolean;
}

const sealedMark = Buffer.from(encryptedPrefix);

function markOf({ prefix, transformer }: Provider): string {
  return prefix + (transformer.generation?.() ?? '');
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let index = 0; index < prefix.length; index++) if (bytes[index] !== prefix[index]) return false;
  return true;
}
