import type { Registry } from '../../registry/registry.ts';
import { maySigner } from '../certificates/signer-access.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from '../plugin.ts';

/** Only who may attest for a signer publishes its trust anchors (KEP-3257). */
export const clusterTrustBundleAttest: AdmissionPlugin = {
  name: 'ClusterTrustBundleAttest',
  operations: ['CREATE', 'UPDATE'],
  resources: ['certificates.k8s.io/clustertrustbundles'],
  validate(attributes, registry) {
    const { spec } = attributes.object as unknown as { readonly spec: { readonly signerName?: string } };
    const { signerName = '' } = spec;
    return signerName === '' ? undefined : check(attributes, registry, signerName);
  },
};

async function check(attributes: AdmissionAttributes, registry: Registry, signerName: string): Promise<void> {
  if (await maySigner(registry, attributes, 'attest', signerName)) return;
  throw refusal(attributes, `user not permitted to attest for signerName ${JSON.stringify(signerName)}`);
}
