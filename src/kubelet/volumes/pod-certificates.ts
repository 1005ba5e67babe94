import type { Environment } from '#base/environment.ts';
import { randomInteger } from '#base/random.ts';
import type { Client } from '#client/client.ts';
import { PodCertificateRequest, ServiceAccount } from '#kinds/generated/handles.ts';
import type { PodCertificateRequest as Request } from '#kinds/generated/types/certificates_v1beta1.ts';
import type { Node, Pod, PodCertificateProjection } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { parseTime } from '#machinery/time.ts';
import { makeKeyAndProof } from './certificate-request.ts';
import { cleanCertificates } from './pem.ts';

/** A request that is not there any more after this long was deleted. */
const abandonedMs = 10 * 60_000;
/** Pods that started together do not renew together. */
const jitterMs = 5 * 60_000;
const maxKept = 1000;

/** A private key and the certificates for it, in PEM. */
export interface Credentials {
  readonly key: string;
  readonly chain: string;
}

interface Pending {
  readonly name: string;
  readonly key: string;
  readonly abandonAtMs: number;
}

/** What there is for one volume source. */
interface State {
  pending?: Pending | undefined;
  current?: (Credentials & { readonly refreshAtMs: number }) | undefined;
  /** Why there will be none. */
  refusal?: string | undefined;
}

/** Which volume source of which pod. */
export interface CertificateSource {
  readonly volume: string;
  readonly index: number;
  readonly projection: PodCertificateProjection;
}

/** Asks signers for certificates of pods, and for new ones in time (KEP-4317). */
export class PodCertificates {
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #node: () => Node;
  readonly #signal: AbortSignal;
  readonly #states = new Map<string, State>();

  constructor(options: {
    readonly client: Client;
    readonly environment: Environment;
    readonly node: () => Node;
    readonly signal: AbortSignal;
  }) {
    this.#client = options.client;
    this.#environment = options.environment;
    this.#node = options.node;
    this.#signal = options.signal;
  }

  /** What there is now. Throws an Error with upstream's message while there is nothing. */
  async get(pod: Pod, source: CertificateSource): Promise<Credentials> {
    const key = `${pod.metadata.uid}/${source.volume}/${source.index}`;
    const state = this.#states.get(key) ?? {};
    if (!this.#states.has(key) && this.#states.size >= maxKept) throw new Error('too many certificates on this node');
    this.#states.set(key, state);
    try {
      await this.#advance(pod, source, state);
    } catch (error) {
      // A certificate that should be renewed is still better than none.
      if (state.current === undefined) throw error;
    }
    if (state.refusal !== undefined) throw new Error(state.refusal);
    if (state.current === undefined) throw new Error('credential bundle is not issued yet');
    return state.current;
  }

  forget(podUid: string): void {
    for (const key of this.#states.keys()) if (key.startsWith(`${podUid}/`)) this.#states.delete(key);
  }

  async #advance(pod: Pod, source: CertificateSource, state: State): Promise<void> {
    const { clock } = this.#environment;
    if (state.refusal !== undefined) return;
    if (state.pending !== undefined) return this.#look(pod.metadata.namespace ?? '', state, state.pending);
    if (state.current !== undefined && clock.now() < state.current.refreshAtMs) return;
    state.pending = await this.#ask(pod, source.projection);
  }

  /** What has become of a request. */
  async #look(namespace: string, state: State, { name, key, abandonAtMs }: Pending): Promise<void> {
    const { clock } = this.#environment;
    let request: Request;
    try {
      request = await this.#client.get(PodCertificateRequest, { namespace, name }, { signal: this.#signal });
    } catch (error) {
      if (isReason(error, 'NotFound') && clock.now() > abandonAtMs) state.pending = undefined;
      throw new Error(
        `while getting PodCertificateRequest "${namespace}/${name}": ${error instanceof Error ? error.message : error}`,
      );
    }
    const { conditions = [], certificateChain = '', beginRefreshAt = '' } = request.status ?? {};
    for (const { type, reason, message } of conditions) {
      if (type === 'Denied' || type === 'Failed') {
        const said = `reason=${JSON.stringify(reason)} message=${JSON.stringify(message)}`;
        state.refusal = `PodCertificateRequest was permanently ${type.toLowerCase()}: ${said}`;
        state.current = undefined;
      }
      if (type !== 'Issued') continue;
      const refreshAtMs = parseTime(beginRefreshAt) + this.#jitter();
      state.current = { key, chain: cleanCertificates(certificateChain).join(''), refreshAtMs };
      state.pending = undefined;
    }
  }

  async #ask(pod: Pod, projection: PodCertificateProjection): Promise<Pending> {
    const { namespace = '', name = '', uid = '' } = pod.metadata;
    const { signerName, keyType, maxExpirationSeconds, userAnnotations } = projection;
    const serviceAccountName = pod.spec.serviceAccountName || 'default';
    const signal = this.#signal;
    const account = await this.#client.get(ServiceAccount, { namespace, name: serviceAccountName }, { signal });
    const { key, request } = await makeKeyAndProof(keyType);
    const node = this.#node().metadata;
    const created = await this.#client.create(
      PodCertificateRequest,
      {
        metadata: {
          namespace,
          generateName: 'req-',
          ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid }],
        },
        spec: {
          signerName,
          podName: name,
          podUID: uid,
          serviceAccountName,
          serviceAccountUID: account.metadata.uid ?? '',
          nodeName: node.name ?? '',
          nodeUID: node.uid ?? '',
          stubPKCS10Request: Buffer.from(request).toString('base64'),
          ...(maxExpirationSeconds === undefined ? {} : { maxExpirationSeconds }),
          ...(userAnnotations === undefined ? {} : { unverifiedUserAnnotations: userAnnotations }),
        },
      },
      { signal },
    );
    const abandonAtMs = this.#environment.clock.now() + abandonedMs + this.#jitter();
    return { name: created.metadata.name ?? '', key, abandonAtMs };
  }

  #jitter(): number {
    return randomInteger(this.#environment.random, jitterMs);
  }
}
