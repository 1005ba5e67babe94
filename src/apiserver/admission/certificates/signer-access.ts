import type { Registry } from '../../registry/registry.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** Whether the user may do something to a signer, by its name or to all of its domain (`example.com/*`). */
export async function maySigner(
  { authorizer }: Registry,
  { request: { user } }: AdmissionAttributes,
  verb: 'approve' | 'sign' | 'attest',
  signerName: string,
): Promise<boolean> {
  const domain = signerName.split('/')[0] ?? '';
  for (const name of [signerName, `${domain}/*`]) {
    const { outcome } = await authorizer.authorize({
      user,
      verb,
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      path: '',
    });
    if (outcome === 'allow') return true;
  }
  return false;
}
