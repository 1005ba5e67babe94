import type { Client } from '#client/client.ts';
import { ClusterTrustBundle } from '#kinds/generated/handles.ts';
import type { ClusterTrustBundle as Bundle } from '#kinds/generated/types/certificates_v1beta1.ts';
import type { ClusterTrustBundleProjection } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { formatSelector, matchesLabels, selectorOf } from '#machinery/labels.ts';
import { cleanCertificates } from './pem.ts';

/** As upstream: longer selectors would make one pod's volume everybody's burden. */
const maxSelectorLength = 100 * 1024;

/** Trust anchors for pods, from the ClusterTrustBundles of the cluster (KEP-3257). */
export class TrustBundles {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(options: { readonly client: Client; readonly signal: AbortSignal }) {
    this.#client = options.client;
    this.#signal = options.signal;
  }

  /** Certificates in PEM, each once. Throws an Error with upstream's message. */
  async anchors(source: ClusterTrustBundleProjection): Promise<string> {
    const { name, signerName, optional = false } = source;
    if (name !== undefined) return this.#named(name, optional);
    if (signerName === undefined)
      throw new Error('ClusterTrustBundle projection requires either name or signerName to be set');
    const selector = selectorOf(source.labelSelector);
    const { length } = formatSelector(selector);
    if (length > maxSelectorLength)
      throw new Error(`label selector length (${length}) is larger than ${maxSelectorLength}`);
    const fieldSelector = `spec.signerName=${signerName}`;
    const { items } = await this.#client.list(ClusterTrustBundle, { fieldSelector, signal: this.#signal });
    const found = items.filter(({ metadata }) => matchesLabels(selector, metadata.labels));
    if (found.length === 0 && !optional)
      throw new Error('combination of signerName and labelSelector matched zero ClusterTrustBundles');
    return normalized(found);
  }

  async #named(name: string, optional: boolean): Promise<string> {
    try {
      return normalized([await this.#client.get(ClusterTrustBundle, { name }, { signal: this.#signal })]);
    } catch (error) {
      if (optional && isReason(error, 'NotFound')) return '';
      throw new Error(`while getting ClusterTrustBundle: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function normalized(bundles: readonly Bundle[]): string {
  const anchors = bundles.flatMap(({ spec }) => cleanCertificates(spec.trustBundle ?? ''));
  return [...new Set(anchors)].sort().join('');
}
