import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { printFlags, typedPrinter } from '../../output/printers.ts';
import { formatColumns } from '../../output/table.ts';
import { defineVerb } from '../../verb.ts';

interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** KEP-3325. */
export const whoami = defineVerb({
  name: 'whoami',
  summary: 'Experimental: Check self subject attributes',
  usage: '[flags]',
  flags: printFlags,
  async run(context, flags) {
    const printer = await typedPrinter(flags);
    let review: JsonObject;
    try {
      review = await context.request({
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} },
      });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 404) throw error;
      throw new CliError('the selfsubjectreviews API is not enabled in the cluster');
    }
    if (printer !== undefined) {
      context.out(printer({ ...review, metadata: withoutTime(review['metadata'] as JsonObject) }));
      return 0;
    }
    const { userInfo = {} } = (review['status'] ?? {}) as { readonly userInfo?: UserInfo };
    const { username = '', uid = '', groups = [], extra = {} } = userInfo;
    const rows = [
      ...(username === '' ? [] : [['Username', username]]),
      ...(uid === '' ? [] : [['UID', uid]]),
      ...(groups.length === 0 ? [] : [['Groups', `[${groups.join(' ')}]`]]),
      ...Object.keys(extra)
        .sort()
        .map((key) => [`Extra: ${key}`, `[${(extra[key] ?? []).join(' ')}]`]),
    ];
    context.out(formatColumns([['ATTRIBUTE', 'VALUE'], ...rows]));
    return 0;
  },
});

function withoutTime({ creationTimestamp, ...metadata }: JsonObject): JsonObject {
  return creationTimestamp === null || creationTimestamp === undefined ? metadata : { creationTimestamp, ...metadata };
}
