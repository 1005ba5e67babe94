import { decodeBase64Url, encodeBase64Url } from '#machinery/base64.ts';
import { badRequest } from '#machinery/errors.ts';

/** Where a list goes on: after `key`, as of `revision` (-1: as of whenever the next page is read). */
export interface ContinueToken {
  readonly revision: number;
  readonly key: string;
}

/** The token that clients pass back unread; the form is upstream's. */
export function encodeContinue({ revision, key }: ContinueToken): string {
  return encodeBase64Url(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${key}\u0000` }));
}

/** @throws ApiError 400 for anything that this server did not write. */
export function decodeContinue(text: string): ContinueToken {
  try {
    const { v, rv, start } = JSON.parse(decodeBase64Url(text)) as { v?: unknown; rv?: unknown; start?: unknown };
    if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < -1)
      throw new Error('revision');
    if (typeof start !== 'string' || start === '' || start.startsWith('/') || start.split('/').includes('..'))
      throw new Error('key');
    return { revision: rv, key: start.replace(/\u0000$/, '') };
  } catch {
    throw badRequest('invalid continue token: continue key is not valid: incorrect encoding, revision or start key');
  }
}
