import type { CertificateSigningRequest } from '#kinds/generated/types/certificates_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, subdomainProblems } from '#machinery/names.ts';

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const minLifetimeSeconds = 600;
const signerDetail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";

export function validateCertificateSigningRequest({ spec, status }: CertificateSigningRequest): FieldError[] {
  const errors = signerNameErrors(spec.signerName ?? '', 'spec.signerName');
  const used = spec.usages ?? [];
  if (used.length === 0) errors.push(fieldError.required('spec.usages'));
  for (const [index, usage] of used.entries()) {
    const path = `spec.usages[${index}]`;
    if (!usages.includes(usage)) errors.push(fieldError.notSupported(path, usage, usages));
    if (used.indexOf(usage) < index) errors.push(fieldError.duplicate(path, usage));
  }
  const { expirationSeconds } = spec;
  if (expirationSeconds !== undefined && expirationSeconds < minLifetimeSeconds)
    errors.push(
      fieldError.invalid(
        'spec.expirationSeconds',
        expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    );
  return [...errors, ...conditionErrors(status)];
}

/** `example.com/name`, or with a deeper path whose parts are labels. */
export function signerNameErrors(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  const segments = name.split('/');
  if (segments.length !== 2) return [fieldError.invalid(path, name, signerDetail)];
  const [domain = '', rest = ''] = segments;
  const errors = subdomainProblems(domain).map((problem) =>
    fieldError.invalid(path, domain, `validating label "${domain}": ${problem}`),
  );
  if (!domain.includes('.'))
    errors.push(fieldError.invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  if (rest === '' || rest.split('.').some((label) => label1123Problems(label.toLowerCase()).length > 0))
    errors.push(fieldError.invalid(path, name, signerDetail));
  return errors;
}

export function validateCertificateSigningRequestUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  return verdictErrors(request, old);
}

export function validateCertificateSigningRequestStatus(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  const errors = [...conditionErrors(request.status), ...verdictErrors(request, old)];
  const before = old.status?.certificate ?? '';
  const after = request.status?.certificate ?? '';
  if (before !== '' && after !== before) {
    errors.push(
      fieldError.forbidden('status.certificate', 'updates may not set the certificate content once it is set'),
    );
  }
  if (after !== '' && !/-----BEGIN CERTIFICATE-----/.test(decoded(after)))
    errors.push(
      fieldError.invalid('status.certificate', '<certificate data>', 'must contain at least one CERTIFICATE PEM block'),
    );
  return errors;
}

function decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}

function conditionErrors(status: CertificateSigningRequest['status']): FieldError[] {
  const errors: FieldError[] = [];
  const conditions = status?.conditions ?? [];
  const seen = new Set<string>();
  for (const [index, { type, status: value }] of conditions.entries()) {
    const path = `status.conditions[${index}]`;
    if (type === '') errors.push(fieldError.required(`${path}.type`));
    else if (seen.has(type)) errors.push(fieldError.duplicate(`${path}.type`, type));
    seen.add(type);
    const isVerdict = type === 'Approved' || type === 'Denied' || type === 'Failed';
    if (isVerdict && value !== 'True') errors.push(fieldError.notSupported(`${path}.status`, value, ['True']));
    else if (!['True', 'False', 'Unknown'].includes(value))
      errors.push(fieldError.notSupported(`${path}.status`, value, ['True', 'False', 'Unknown']));
  }
  if (seen.has('Approved') && seen.has('Denied'))
    errors.push(
      fieldError.invalid('status.conditions', 'Approved', 'Approved and Denied conditions are mutually exclusive'),
    );
  return errors;
}

/** A verdict stands. */
function verdictErrors(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return ['Approved', 'Denied', 'Failed'].flatMap((type) => {
    const before = old.status?.conditions?.find((condition) => condition.type === type);
    const after = request.status?.conditions?.find((condition) => condition.type === type);
    if (before === undefined || equalValues(before.status, after?.status)) return [];
    const detail = `updates may not remove a condition of type ${JSON.stringify(type)}`;
    return [fieldError.forbidden('status.conditions', detail)];
  });
}
