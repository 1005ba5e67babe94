import { createCipheriv, createDecipheriv } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import type { Random } from '#base/random.ts';
import type { Transformer } from './transformer.ts';

const tagLength = 16;

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** AES in Galois/Counter mode: 12 bytes of nonce, then text and tag. What is stored is bound to its key in the store. */
export function aesGcm(key: Uint8Array, random: Random): Transformer {
  const algorithm = `aes-${key.length * 8}-gcm` as 'aes-256-gcm';
  const nonceLength = 12;
  return {
    seal(plain, context) {
      const nonce = random.bytes(nonceLength);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
      return concat(nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag());
    },
    open(stored, context) {
      if (stored.length < nonceLength + tagLength)
        throw new Error('the stored data was shorter than the required size');
      const decipher = createDecipheriv(algorithm, key, stored.subarray(0, nonceLength));
      decipher.setAAD(Buffer.from(context)).setAuthTag(stored.subarray(stored.length - tagLength));
      try {
        return concat(decipher.update(stored.subarray(nonceLength, stored.length - tagLength)), decipher.final());
      } catch {
        throw new Error('cipher: message authentication failed');
      }
    },
  };
}

/** AES in cipher block chaining mode: 16 bytes of initialisation vector, then the padded text. Nothing notices changes. */
export function aesCbc(key: Uint8Array, random: Random): Transformer {
  const algorithm = `aes-${key.length * 8}-cbc`;
  const blockLength = 16;
  return {
    seal(plain) {
      const vector = random.bytes(blockLength);
      const cipher = createCipheriv(algorithm, key, vector);
      return concat(vector, cipher.update(plain), cipher.final());
    },
    open(stored) {
      if (stored.length < blockLength) throw new Error('the stored data was shorter than the required size');
      if (stored.length % blockLength !== 0) throw new Error('the stored data was not a multiple of the block size');
      const decipher = createDecipheriv(algorithm, key, stored.subarray(0, blockLength));
      try {
        return concat(decipher.update(stored.subarray(blockLength)), decipher.final());
      } catch {
        throw new Error('invalid padding on input');
      }
    },
  };
}

/** XSalsa20 with Poly1305, as NaCl's secretbox: 24 bytes of nonce, then tag and text. */
export function secretbox(key: Uint8Array, random: Random): Transformer {
  const nonceLength = 24;
  return {
    seal(plain) {
      const nonce = random.bytes(nonceLength);
      return concat(nonce, xsalsa20poly1305(key, nonce).encrypt(plain));
    },
    open(stored) {
      if (stored.length < nonceLength + tagLength)
        throw new Error('the stored data was shorter than the required size');
      try {
        return xsalsa20poly1305(key, stored.subarray(0, nonceLength)).decrypt(stored.subarray(nonceLength));
      } catch {
        throw new Error('the stored data cannot be opened with this key');
      }
    },
  };
}
