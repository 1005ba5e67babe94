import { generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** A fresh key, and the proof that its holder asks. */
export interface KeyAndProof {
  /** PKCS#8 in PEM. */
  readonly key: string;
  /** A PKCS#10 request in DER that says nothing but the public key. */
  readonly request: Uint8Array;
}

interface KeyType {
  readonly generate: () => Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }>;
  /** `AlgorithmIdentifier` of its signatures, in DER. */
  readonly algorithm: string;
  readonly hash: string | null;
}

const generate = promisify(generateKeyPair);
const rsa = (modulusLength: number): KeyType => ({
  generate: () => generate('rsa', { modulusLength }),
  algorithm: '300d06092a864886f70d01010b0500',
  hash: 'sha256',
});
const ec = (namedCurve: string, hash: string, algorithm: string): KeyType => ({
  generate: () => generate('ec', { namedCurve }),
  algorithm,
  hash,
});

/** The types that a `podCertificate` source may name. */
const keyTypes: Readonly<Record<string, KeyType>> = {
  RSA3072: rsa(3072),
  RSA4096: rsa(4096),
  ECDSAP256: ec('P-256', 'sha256', '300a06082a8648ce3d040302'),
  ECDSAP384: ec('P-384', 'sha384', '300a06082a8648ce3d040303'),
  ECDSAP521: ec('P-521', 'sha512', '300a06082a8648ce3d040304'),
  ED25519: { generate: () => generate('ed25519'), algorithm: '300506032b6570', hash: null },
};

/** Makes a key and asks for a certificate of it. Throws an Error for a type that is not known. */
export async function makeKeyAndProof(keyType: string): Promise<KeyAndProof> {
  const type = Object.hasOwn(keyTypes, keyType) ? keyTypes[keyType] : undefined;
  if (type === undefined) throw new Error(`unknown key type ${JSON.stringify(keyType)}`);
  const { privateKey, publicKey } = await type.generate();
  const version = Buffer.from('020100', 'hex');
  const noName = Buffer.from('3000', 'hex');
  const noAttributes = Buffer.from('a000', 'hex');
  const info = sequence(version, noName, publicKey.export({ type: 'spki', format: 'der' }), noAttributes);
  const signature = element(0x03, Buffer.concat([Buffer.of(0), sign(type.hash, info, privateKey)]));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    request: sequence(info, Buffer.from(type.algorithm, 'hex'), signature),
  };
}

function sequence(...members: readonly Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(members));
}

/** One element of DER. */
function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
