import { defineController, done, retryAfter } from '#client/controller.ts';
import { keyOf, refOf } from '#client/object-key.ts';
import { ConfigMap as ConfigMapKind, Secret as SecretKind } from '#kinds/generated/handles.ts';
import type { Secret } from '#kinds/generated/types/core_v1.ts';
import { bytesToBase64Url, decodeBase64, encodeBase64Url } from '#machinery/base64.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';

const secretType = 'bootstrap.kubernetes.io/token';
const namespace = 'kube-system';
const clusterInfo = 'kube-public/cluster-info';
const signaturePrefix = 'jws-kubeconfig-';

/** Deletes bootstrap tokens whose time is over. */
export const bootstrapTokenCleaner = defineController({
  name: 'token-cleaner',
  queue: 'token_cleaner',
  setup({ watch, environment }) {
    const secrets = watch(SecretKind, (secret) => (isBootstrapToken(secret) ? [keyOf(secret)] : []));
    return async (key, { client, signal }) => {
      const secret = secrets.getByKey(key);
      if (secret === undefined || !isBootstrapToken(secret)) return done;
      const endsMs = Date.parse(field(secret, 'expiration'));
      if (Number.isNaN(endsMs)) return done;
      const leftMs = endsMs - environment.clock.now();
      if (leftMs > 0) return retryAfter(leftMs);
      const { uid } = secret.metadata;
      const options = uid === undefined ? { signal } : { signal, preconditions: { uid } };
      await client.delete(SecretKind, refOf(key), options).catch((error: unknown) => {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
      });
      return done;
    };
  },
});

/** Signs the public `cluster-info` with every token that may, so that a machine that joins can tell it is genuine. */
export const bootstrapSigner = defineController({
  name: 'bootstrap-signer',
  queue: 'bootstrap_signer_queue',
  setup({ watch, environment }) {
    const maps = watch(ConfigMapKind, (map) => (keyOf(map) === clusterInfo ? [clusterInfo] : []));
    const secrets = watch(SecretKind, (secret) => (isBootstrapToken(secret) ? [clusterInfo] : []));
    return async (_key, { client, signal }) => {
      const map = maps.getByKey(clusterInfo);
      const content = map?.data?.['kubeconfig'];
      if (map === undefined || content === undefined) return done;
      const data: Record<string, string> = {};
      for (const [name, value] of Object.entries(map.data ?? {}))
        if (!name.startsWith(signaturePrefix)) data[name] = value;
      for (const secret of secrets.list()) {
        if (!isBootstrapToken(secret) || field(secret, 'usage-bootstrap-signing') !== 'true') continue;
        const expiration = field(secret, 'expiration');
        if (expiration !== '' && Date.parse(expiration) <= environment.clock.now()) continue;
        const [id, word] = [field(secret, 'token-id'), field(secret, 'token-secret')];
        data[`${signaturePrefix}${id}`] = await detachedSignature(content, id, word);
      }
      if (!equalValues(data, map.data)) await client.update(ConfigMapKind, { ...map, data }, { signal });
      return done;
    };
  },
});

function isBootstrapToken({ type, metadata }: Secret): boolean {
  return (
    type === secretType && metadata.namespace === namespace && metadata.name?.startsWith('bootstrap-token-') === true
  );
}

function field({ data }: Secret, name: string): string {
  return new TextDecoder().decode(decodeBase64(data?.[name] ?? ''));
}

/** A JSON Web Signature without its content, which is known to who checks it. */
async function detachedSignature(content: string, id: string, word: string): Promise<string> {
  const header = encodeBase64Url(JSON.stringify({ alg: 'HS256', kid: id }));
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(`${id}.${word}`), algorithm, false, ['sign']);
  const signed = encoder.encode(`${header}.${encodeBase64Url(content)}`);
  return `${header}..${bytesToBase64Url(new Uint8Array(await crypto.subtle.sign('HMAC', key, signed)))}`;
}
