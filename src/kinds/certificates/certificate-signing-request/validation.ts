import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '#kinds/generated/types/certificates_v1.ts';
import { oneOf, requiredOneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, label1123Problems, subdomainProblems } from '#machinery/names.ts';

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
const verdicts = ['Approved', 'Denied', 'Failed'];
const conditionStatuses = ['False', 'True', 'Unknown'];
const minLifetimeSeconds = 600;
const maxDomainBytes = 253;
/** A domain, a slash, and a path of a label, a dot and a subdomain. */
const maxSignerBytes = maxDomainBytes + 1 + 63 + 1 + 253;
const signerDetail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";

export function validateCertificateSigningRequest({ spec, status }: CertificateSigningRequest): FieldError[] {
  const errors = requestErrors(spec.request);
  const used = spec.usages ?? [];
  if (used.length === 0) errors.push(fieldError.required('spec.usages'));
  errors.push(...used.flatMap((usage, index) => oneOf(usage, usages, `spec.usages[${index}]`)));
  for (const [index, usage] of used.entries())
    if (used.indexOf(usage) < index) errors.push(fieldError.duplicate(`spec.usages[${index}]`, usage));
  errors.push(...signerErrors(spec.signerName ?? ''));
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

/** Whether it is one at all; its signature is checked where there is cryptography. */
function requestErrors(request: string | undefined): FieldError[] {
  if (isCertificateRequest(request)) return [];
  return [fieldError.invalid('spec.request', request ?? null, 'PEM block type must be CERTIFICATE REQUEST')];
}

export function isCertificateRequest(request: string | undefined): boolean {
  return /-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(decoded(request ?? ''));
}

function signerErrors(name: string): FieldError[] {
  const path = 'spec.signerName';
  return name === 'kubernetes.io/legacy-unknown'
    ? [fieldError.invalid(path, name, 'the legacy signerName is not allowed via this API version')]
    : signerNameErrors(name, path);
}

/** `example.com/name`, or with a deeper path whose parts are labels. */
export function signerNameErrors(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  const segments = name.split('/');
  if (segments.length !== 2) return [fieldError.invalid(path, name, signerDetail)];
  const [domain = '', rest = ''] = segments;
  const errors = byteLength(domain) > maxDomainBytes ? [fieldError.tooLong(path, maxDomainBytes)] : [];
  errors.push(...firstLabelErrors(domain, path, label1123Problems));
  if (!domain.includes('.'))
    errors.push(fieldError.invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  errors.push(...firstLabelErrors(rest, path, subdomainProblems));
  return byteLength(name) > maxSignerBytes ? [...errors, fieldError.tooLong(path, maxSignerBytes)] : errors;
}

/** What is wrong with the first label that is not right; of the others nothing is told. */
function firstLabelErrors(text: string, path: string, problemsOf: (label: string) => string[]): FieldError[] {
  for (const label of text.split('.')) {
    const problems = problemsOf(label);
    if (problems.length > 0)
      return problems.map((problem) =>
        fieldError.invalid(path, text, `validating label ${JSON.stringify(label)}: ${problem}`),
      );
  }
  return [];
}

export function validateCertificateSigningRequestUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  return verdictErrors(request, old);
}

/** A verdict that is given through `approval`. */
export function validateCertificateSigningRequestApproval(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  return [...validateCertificateSigningRequest(request), ...verdictErrors(request, old)];
}

export function validateCertificateSigningRequestStatus(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  const before = old.status?.certificate ?? '';
  const after = request.status?.certificate ?? '';
  const isChanged = before !== after;
  const errors = [
    ...validateCertificateSigningRequest(request),
    ...(isChanged ? certificateErrors(after) : []),
    ...verdictErrors(request, old),
    ...judgementErrors(request, old),
  ];
  if (before !== '' && isChanged) {
    const detail = 'updates may not modify existing certificate content';
    errors.push(fieldError.forbidden('status.certificate', detail));
  }
  return errors;
}

function certificateErrors(certificate: string): FieldError[] {
  if (certificate === '') return [];
  const say = (detail: string): FieldError[] => [
    fieldError.invalid('status.certificate', '<certificate data>', detail),
  ];
  const blocks = [...decoded(certificate).matchAll(/-----BEGIN ([^\n-]*)-----/g)].map(([, type = '']) => type);
  const other = blocks.find((type) => type !== 'CERTIFICATE');
  if (other !== undefined) return say(`only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(other)}`);
  return blocks.length === 0 ? say('must contain at least one CERTIFICATE PEM block') : [];
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
  const seen = new Set<string>();
  for (const [index, { type = '', status: value = '' }] of (status?.conditions ?? []).entries()) {
    const path = `status.conditions[${index}]`;
    if (type === '') errors.push(fieldError.required(`${path}.type`));
    errors.push(...requiredOneOf(value, verdicts.includes(type) ? ['True'] : conditionStatuses, `${path}.status`));
    if ((type === 'Approved' && seen.has('Denied')) || (type === 'Denied' && seen.has('Approved'))) {
      const detail = 'Approved and Denied conditions are mutually exclusive';
      errors.push(fieldError.invalid('status.conditions', type, detail));
    }
    if (seen.has(type)) errors.push(fieldError.duplicate(`${path}.type`, type));
    seen.add(type);
  }
  return errors;
}

function conditionsOf(request: CertificateSigningRequest, type: string): readonly CertificateSigningRequestCondition[] {
  return (request.status?.conditions ?? []).filter((condition) => condition.type === type);
}

/** A verdict stands. */
function verdictErrors(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return verdicts
    .filter((type) => conditionsOf(request, type).length < conditionsOf(old, type).length)
    .map((type) => {
      const detail = `updates may not remove a condition of type ${JSON.stringify(type)}`;
      return fieldError.forbidden('status.conditions', detail);
    });
}

/** Approving and denying have a door of their own. */
function judgementErrors(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  return ['Approved', 'Denied']
    .filter((type) => conditionsOf(request, type).length > conditionsOf(old, type).length)
    .map((type) => {
      const detail = `updates may not add a condition of type ${JSON.stringify(type)}`;
      return fieldError.forbidden('status.conditions', detail);
    });
}
