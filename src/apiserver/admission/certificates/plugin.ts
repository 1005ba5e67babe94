import type { CertificateSigningRequest } from '#kinds/generated/types/certificates_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from '../plugin.ts';
import { maySigner } from './signer-access.ts';

const requests = 'certificates.k8s.io/certificatesigningrequests';

/** Only who may approve for a signer approves or denies requests to it. */
export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  operations: ['UPDATE'],
  resources: [`${requests}/approval`],
  validate: (attributes, registry) => checkSigner(attributes, registry, 'approve'),
};

/** Only who may sign for a signer puts certificates into requests to it. */
export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  operations: ['UPDATE'],
  resources: [`${requests}/status`],
  validate(attributes, registry) {
    const { status } = attributes.object as CertificateSigningRequest;
    const { status: old } = attributes.oldObject as CertificateSigningRequest;
    const isUntouched =
      equalValues(status?.certificate, old?.certificate) && equalValues(status?.conditions, old?.conditions);
    return isUntouched ? undefined : checkSigner(attributes, registry, 'sign');
  },
};

async function checkSigner(
  attributes: AdmissionAttributes,
  registry: Registry,
  verb: 'approve' | 'sign',
): Promise<void> {
  const { signerName } = (attributes.oldObject as CertificateSigningRequest).spec;
  if (await maySigner(registry, attributes, verb, signerName)) return;
  throw refusal(attributes, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}

const clientSigner = 'kubernetes.io/kube-apiserver-client';
const masters = 'system:masters';

/** Nobody asks for a certificate that makes its owner all-powerful. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  operations: ['CREATE'],
  resources: [requests],
  validate(attributes) {
    const { spec } = attributes.object as CertificateSigningRequest;
    return spec.signerName === clientSigner ? checkSubject(attributes, spec.request) : undefined;
  },
};

async function checkSubject(attributes: AdmissionAttributes, request: string): Promise<void> {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509');
  let organizations: readonly string[];
  try {
    const pem = Buffer.from(request, 'base64').toString('utf8');
    organizations = new Pkcs10CertificateRequest(pem).subjectName.getField('O');
  } catch (error) {
    throw refusal(attributes, `failed to parse CSR: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (organizations.includes(masters))
    throw refusal(attributes, `use of ${clientSigner} signer with ${masters} group is not allowed`);
}
