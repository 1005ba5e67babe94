/** CBOR (RFC 8949) as the API speaks it: KEP-4222. */
export { decodeCbor } from './cbor/decode.ts';
export { encodeCbor, encodeCborFrame, isSelfDescribed } from './cbor/encode.ts';
