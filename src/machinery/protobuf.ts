/** The API's protobuf form, driven by schemas: objects with an envelope, messages without, lists and watch frames. */
export { decodeEnvelope, decodeMessage, decodeProtobuf, type Envelope } from './protobuf/decode.ts';
export {
  encodeEnvelope,
  encodeList,
  encodeMessage,
  encodeProtobuf,
  encodeWatchFrame,
  envelopeEnd,
} from './protobuf/encode.ts';
