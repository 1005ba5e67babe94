import type { PodCertificateRequest } from '#kinds/generated/types/certificates_v1beta1.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import { fieldError, invalid } from '#machinery/errors.ts';
import type { ResourceHook } from '../registry/registry.ts';
import { readCertificateRequest } from './requests.ts';

/** Who asks for a pod's certificate proves that it has the key. */
export const podCertificateHook: ResourceHook = {
  async admit(_registry, { resource, subresource }, object, old) {
    if (old !== undefined || subresource !== '') return;
    const { spec, metadata } = object as unknown as PodCertificateRequest;
    try {
      const der = Buffer.from(decodeBase64(spec.stubPKCS10Request ?? '')).toString('base64');
      await readCertificateRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${der}\n-----END CERTIFICATE REQUEST-----\n`);
    } catch (error) {
      const detail = `must be a PKCS#10 request signed with its own key: ${error instanceof Error ? error.message : error}`;
      const problem = fieldError.invalid('spec.stubPKCS10Request', '<value omitted>', detail);
      throw invalid(resource.kind, metadata.name ?? '', [problem]);
    }
  },
};
