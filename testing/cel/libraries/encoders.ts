import { bytesType, fail, type Library, stringType } from '#cel/index.ts';
import { global } from '#cel/library/define.ts';
import { decodeBase64, encodeBase64 } from '#machinery/base64.ts';

function decode(text: string): Uint8Array {
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  const isValid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(padded);
  return isValid ? decodeBase64(padded) : fail('illegal base64 data');
}

/** cel-go's encoders, which Kubernetes does not have: `base64.encode(bytes)`, `base64.decode(text)`. */
export const encodersLibrary: Library = {
  name: 'cel.lib.ext.encoders',
  overloads: [
    global('base64.decode', 'base64_decode_string', [stringType], bytesType, decode),
    global('base64.encode', 'base64_encode_bytes', [bytesType], stringType, encodeBase64),
  ],
};
