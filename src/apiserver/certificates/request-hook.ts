import { isCertificateRequest } from '#kinds/certificates/certificate-signing-request/validation.ts';
import type { CertificateSigningRequest } from '#kinds/generated/types/certificates_v1.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import { fieldError, invalid } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { ResourceHook } from '../registry/registry.ts';
import { readCertificateRequest } from './requests.ts';

/** Signing requests say who made them; who that is, the server knows and nobody else. */
export const certificateRequestHook: ResourceHook = {
  async admit(_registry, { user, resource }, object, old) {
    if (old !== undefined) return;
    const request = object as unknown as Mutable<CertificateSigningRequest>;
    const { spec } = request;
    spec.username = user.name;
    spec.groups = [...user.groups];
    if (user.uid === undefined) delete spec.uid;
    else spec.uid = user.uid;
    if (user.extra === undefined) delete spec.extra;
    else spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]));
    if (!isCertificateRequest(spec.request)) return;
    try {
      await readCertificateRequest(new TextDecoder().decode(decodeBase64(spec.request)));
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const problem = fieldError.invalid('spec.request', spec.request, detail);
      throw invalid(resource.kind, request.metadata.name ?? '', [problem]);
    }
  },
};
