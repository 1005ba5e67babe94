import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import type { Client } from '#client/client.ts';
import { Secret } from '#kinds/generated/handles.ts';
import type { Secret as SecretObject } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';

const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
/** Secrets whose label is being written, or was lately. */
const maxNoted = 1024;

/** Writes on each token Secret the day on which its token was last used, so that the cleaner finds unused ones (KEP-2799). */
export class LegacyTokenUse {
  readonly #context: { readonly environment: Environment; readonly loopback: () => Client };
  readonly #noted = new LruCache<string, string>(maxNoted);

  constructor(context: { readonly environment: Environment; readonly loopback: () => Client }) {
    this.#context = context;
  }

  note({ metadata }: SecretObject): void {
    const { environment, loopback } = this.#context;
    const today = formatTime(environment.clock.now()).slice(0, 10);
    const { uid = '', name = '', namespace } = metadata;
    if (metadata.labels?.[lastUsedLabel] === today || this.#noted.get(uid) === today) return;
    this.#noted.set(uid, today);
    const body = { metadata: { uid, labels: { [lastUsedLabel]: today } } };
    loopback()
      .patch(Secret, { name, namespace }, { type: 'merge', body })
      .catch((error: unknown) => {
        this.#noted.delete(uid);
        environment.log.warn('cannot note the use of a token', { namespace, name, error: String(error) });
      });
  }
}
