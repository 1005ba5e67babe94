import { createHash } from 'node:crypto';
import type { UserInfo } from '../registry/operation.ts';
import { forThisApi, type TokenAuthenticator } from './token-authenticator.ts';

/**
 * A file of fixed tokens (`--token-auth-file`): lines of `token,user,uid,"group,group"`.
 * @throws Error with the line that cannot be read.
 */
export function tokenFile(text: string, apiAudiences: readonly string[]): TokenAuthenticator {
  const users = new Map<string, UserInfo>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [token = '', name = '', uid, groups = ''] = columns(line.trim());
    if (uid === undefined)
      throw new Error(`token file line ${index + 1}: must have at least token, user name and user uid`);
    if (token === '') throw new Error(`token file line ${index + 1}: the token is empty`);
    const listed = groups === '' ? [] : groups.split(',');
    users.set(digest(token), { name, uid, groups: [...listed, 'system:authenticated'] });
  }
  return {
    authenticate(token, audiences) {
      // Looked up by a digest: how long that takes tells nothing of the tokens.
      const user = users.get(digest(token));
      if (user === undefined) return { outcome: 'unknown' };
      return forThisApi({ outcome: 'authenticated', user, audiences: [] }, audiences, apiAudiences);
    },
  };
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

/** Comma-separated values, of which some stand in double quotes. */
function columns(line: string): string[] {
  const values: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/gy;
  while (pattern.lastIndex < line.length) {
    const match = pattern.exec(line);
    if (match === null) throw new Error(`cannot read the line at column ${pattern.lastIndex + 1}`);
    values.push(match[1]?.replaceAll('""', '"') ?? match[2]!.trim());
  }
  return values;
}
