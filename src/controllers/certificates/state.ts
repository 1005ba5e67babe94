import type { CertificateSigningRequest } from '#kinds/generated/types/certificates_v1.ts';
import { decodeBase64 } from '#machinery/base64.ts';

export function hasCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type) === true;
}

/** The request itself, in PEM. */
export function pemOf({ spec }: CertificateSigningRequest): string {
  return new TextDecoder().decode(decodeBase64(spec.request));
}
