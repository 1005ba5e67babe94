import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import { ServiceAccount } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';
import type { ServiceAccountTokens } from './volume-data.ts';

interface Token {
  readonly token: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

const maxTokens = 1_000;
const maxAgeMs = 24 * 3_600_000;
/** A token is renewed after this share of its life (upstream's rule). */
const renewShare = 0.8;

/** Asks the TokenRequest API for tokens that are bound to a pod, and renews them in time. */
export class TokenCache implements ServiceAccountTokens {
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #signal: AbortSignal;
  readonly #tokens = new Map<string, Token>();

  constructor(options: { readonly client: Client; readonly environment: Environment; readonly signal: AbortSignal }) {
    this.#client = options.client;
    this.#environment = options.environment;
    this.#signal = options.signal;
  }

  async get(pod: Pod, request: { readonly audience: string; readonly expirationSeconds: number }): Promise<string> {
    const { name = '', namespace, uid = '' } = pod.metadata;
    const account = pod.spec.serviceAccountName || 'default';
    const key = `${uid}/${account}/${request.audience}/${request.expirationSeconds}`;
    const nowMs = this.#environment.clock.now();
    const known = this.#tokens.get(key);
    if (known !== undefined && !isOld(known, nowMs)) return known.token;
    try {
      const answer = await this.#client.createSubresource(
        ServiceAccount,
        { namespace, name: account },
        'token',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: { name: account, namespace },
          spec: {
            audiences: request.audience === '' ? [] : [request.audience],
            expirationSeconds: request.expirationSeconds,
            boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
          },
        },
        { signal: this.#signal },
      );
      const status = answer['status'] as { readonly token?: string; readonly expirationTimestamp?: string } | undefined;
      const token = status?.token ?? '';
      const expiresAtMs = parseTime(status?.expirationTimestamp ?? '') || nowMs + request.expirationSeconds * 1000;
      if (this.#tokens.size >= maxTokens) this.#tokens.delete(this.#tokens.keys().next().value ?? '');
      this.#tokens.set(key, { token, issuedAtMs: nowMs, expiresAtMs });
      return token;
    } catch (error) {
      // An old token is better than none while it is valid.
      if (known !== undefined && known.expiresAtMs > nowMs) return known.token;
      throw new Error(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  forget(podUid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${podUid}/`)) this.#tokens.delete(key);
  }
}

function isOld({ issuedAtMs, expiresAtMs }: Token, nowMs: number): boolean {
  return nowMs > issuedAtMs + (expiresAtMs - issuedAtMs) * renewShare || nowMs - issuedAtMs > maxAgeMs;
}
