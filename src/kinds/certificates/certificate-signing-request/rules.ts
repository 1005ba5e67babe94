import type * as certificates from '#kinds/generated/types/certificates_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import {
  validateCertificateSigningRequest,
  validateCertificateSigningRequestStatus,
  validateCertificateSigningRequestUpdate,
} from './validation.ts';

export const certificateSigningRequestRules: KindRules<certificates.CertificateSigningRequest> = {
  validate: validateCertificateSigningRequest,
  validateUpdate: validateCertificateSigningRequestUpdate,
  validateStatusUpdate: validateCertificateSigningRequestStatus,
  prepareForUpdate(request, old) {
    request.spec = old.spec as typeof request.spec;
  },
  prepareForStatusUpdate(request, old) {
    // Approving and denying have a door of their own.
    const isVerdict = ({ type }: { readonly type: string }): boolean => type === 'Approved' || type === 'Denied';
    const conditions = request.status?.conditions ?? [];
    const verdicts = (old.status?.conditions ?? []).filter(isVerdict);
    request.status ??= {};
    request.status.conditions = [
      ...verdicts,
      ...conditions.filter((condition) => !isVerdict(condition)),
    ] as typeof conditions;
  },
  selectableFields: { 'spec.signerName': (request) => request.spec.signerName },
  hasGeneration: false,
};
