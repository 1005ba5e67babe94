import type { Client } from '#client/client.ts';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import type { AuthenticationOptions } from '../authentication/options.ts';

const namespace = 'kube-system';
const name = 'extension-apiserver-authentication';

/** Tells aggregated servers whom to believe: they read it from a ConfigMap. */
export async function publishTrust(client: Client, { clientCa, requestHeader }: AuthenticationOptions): Promise<void> {
  const data = {
    ...(clientCa === undefined ? {} : { 'client-ca-file': clientCa }),
    ...(requestHeader === undefined
      ? {}
      : {
          'requestheader-allowed-names': JSON.stringify(requestHeader.allowedNames),
          'requestheader-client-ca-file': requestHeader.clientCa,
          'requestheader-extra-headers-prefix': headerNames(requestHeader.extraHeaderPrefixes),
          'requestheader-group-headers': headerNames(requestHeader.groupHeaders),
          'requestheader-uid-headers': headerNames(requestHeader.uidHeaders),
          'requestheader-username-headers': headerNames(requestHeader.usernameHeaders),
        }),
  };
  if (Object.keys(data).length === 0) return;
  try {
    const known = await client.get(ConfigMap, { namespace, name });
    if (!equalValues(known.data, data)) await client.update(ConfigMap, { ...known, data });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    await client.create(ConfigMap, { metadata: { namespace, name }, data });
  }
}

/** `x-remote-user` is written `X-Remote-User` where people read it. */
function headerNames(names: readonly string[]): string {
  return JSON.stringify(names.map((each) => each.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())));
}
