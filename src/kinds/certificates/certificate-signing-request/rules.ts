import type * as certificates from '#kinds/generated/types/certificates_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const certificateSigningRequestRules: KindRules<certificates.CertificateSigningRequest> = {
  selectableFields: { 'spec.signerName': (request) => request.spec.signerName },
  hasGeneration: false,
};
