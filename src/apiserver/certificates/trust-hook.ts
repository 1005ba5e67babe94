import { X509Certificate } from 'node:crypto';
import type { ClusterTrustBundle, PodCertificateRequest } from '#kinds/generated/types/certificates_v1beta1.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import { type FieldError, fieldError, invalid } from '#machinery/errors.ts';
import { certificatesOf } from '../authentication/certificates.ts';
import type { ResourceHook } from '../registry/registry.ts';
import { readCertificateRequest } from './requests.ts';

/** A trust bundle holds authorities, each once. */
export const trustBundleHook: ResourceHook = {
  admit(_registry, { resource }, object) {
    const { spec, metadata } = object as unknown as ClusterTrustBundle;
    const errors = [...anchorErrors(spec.trustBundle)];
    if (errors.length > 0) throw invalid(resource.kind, metadata.name ?? '', errors);
  },
};

function* anchorErrors(bundle: string): Generator<FieldError> {
  const seen = new Map<string, number>();
  const wrong = (detail: string) => fieldError.invalid('spec.trustBundle', '<value omitted>', detail);
  for (const [index, pem] of certificatesOf(bundle).entries()) {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(pem);
    } catch {
      yield wrong(`entry ${index} does not parse as X.509`);
      continue;
    }
    if (!certificate.ca) yield wrong(`entry ${index} does not have the CA bit set`);
    const first = seen.get(certificate.fingerprint256);
    if (first !== undefined) yield wrong(`duplicate trust anchor (indices [${first} ${index}])`);
    seen.set(certificate.fingerprint256, index);
  }
}

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
