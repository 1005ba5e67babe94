import type * as certificates from '#kinds/generated/types/certificates_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
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
  prepareForStatusUpdate: (request, old, { now }) => prepareStatus(request, old, now),
  // Any name that fits into a path.
  nameProblems: () => [],
  selectableFields: { 'spec.signerName': (request) => request.spec.signerName },
  hasGeneration: false,
};

/** A verdict keeps what it says; what else is said is dated, and since when it holds. */
export function prepareStatus(
  { status }: Mutable<certificates.CertificateSigningRequest>,
  old: certificates.CertificateSigningRequest,
  now: number,
): void {
  const before = old.status?.conditions ?? [];
  for (const type of ['Approved', 'Denied']) {
    const standing = before.filter((condition) => condition.type === type);
    const said = (status?.conditions ?? []).filter((condition) => condition.type === type);
    if (said.length !== standing.length) continue;
    // What was read and said again is shared with what stands.
    for (const [index, one] of said.entries()) if (one !== standing[index]) Object.assign(one, standing[index]);
  }
  for (const condition of status?.conditions ?? []) {
    condition.lastUpdateTime ??= formatTime(now);
    const same = before.find(({ type, status: value }) => type === condition.type && value === condition.status);
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? formatTime(now);
  }
}
