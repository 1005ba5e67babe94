import type { PodCertificateRequest } from '#kinds/generated/types/certificates_v1beta1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { subdomainProblems } from '#machinery/names.ts';
import { signerNameErrors } from '../certificate-signing-request/validation.ts';

const defaultSeconds = 24 * 3600;
const minSeconds = 3600;
const maxSeconds = 91 * 24 * 3600;
const verdicts = ['Issued', 'Denied', 'Failed'];

export const podCertificateRequestRules: KindRules<PodCertificateRequest> = {
  defaults(request) {
    if (request.spec !== undefined) request.spec.maxExpirationSeconds ??= defaultSeconds;
  },
  validate: ({ spec }) => [
    ...signerNameErrors(spec.signerName ?? '', 'spec.signerName'),
    ...required(spec, ['podName', 'podUID', 'serviceAccountName', 'serviceAccountUID', 'nodeName', 'nodeUID']),
    ...names(spec, ['podName', 'serviceAccountName', 'nodeName']),
    ...lifetime(spec.maxExpirationSeconds ?? 0, spec.signerName ?? ''),
  ],
  validateUpdate: (request, old) =>
    equalValues(request.spec, old.spec) ? [] : [fieldError.invalid('spec', '<value omitted>', 'field is immutable')],
  validateStatusUpdate,
  selectableFields: {
    'spec.signerName': ({ spec }) => spec.signerName,
    'spec.podName': ({ spec }) => spec.podName,
    'spec.nodeName': ({ spec }) => spec.nodeName,
  },
};

type Spec = PodCertificateRequest['spec'];

function required(spec: Spec, fields: readonly (keyof Spec)[]): FieldError[] {
  return fields.flatMap((field) => ((spec[field] ?? '') === '' ? [fieldError.required(`spec.${field}`)] : []));
}

function names(spec: Spec, fields: readonly ('podName' | 'serviceAccountName' | 'nodeName')[]): FieldError[] {
  return fields.flatMap((field) =>
    (spec[field] ?? '') === ''
      ? []
      : subdomainProblems(spec[field]).map((problem) => fieldError.invalid(`spec.${field}`, spec[field], problem)),
  );
}

function lifetime(seconds: number, signerName: string): FieldError[] {
  // Signers of Kubernetes' own issue for a day at most.
  const most = signerName.startsWith('kubernetes.io/') ? defaultSeconds : maxSeconds;
  if (seconds >= minSeconds && seconds <= most) return [];
  return [fieldError.invalid('spec.maxExpirationSeconds', seconds, `must be in the range [${minSeconds}, ${most}]`)];
}

/** A request has one verdict, and an issued one its certificate and times, for good. */
function validateStatusUpdate({ status = {} }: PodCertificateRequest, old: PodCertificateRequest): FieldError[] {
  const conditions = status.conditions ?? [];
  const found = conditions.filter(({ type }) => verdicts.includes(type));
  const errors: FieldError[] = [];
  if (found.length > 1)
    errors.push(
      fieldError.invalid(
        'status.conditions',
        found.map(({ type }) => type),
        `there may be at most one condition with type "Issued", "Denied", or "Failed"`,
      ),
    );
  for (const [index, { type, status: value }] of conditions.entries()) {
    if (!verdicts.includes(type))
      errors.push(fieldError.notSupported(`status.conditions[${index}].type`, type, verdicts));
    if (value !== 'True') errors.push(fieldError.notSupported(`status.conditions[${index}].status`, value, ['True']));
  }
  const before = (old.status?.conditions ?? []).some(({ type }) => verdicts.includes(type));
  if (before && !equalValues(status, old.status))
    errors.push(
      fieldError.forbidden('status', 'may not be changed once the request has been issued, denied or has failed'),
    );
  if (!found.some(({ type }) => type === 'Issued')) return errors;
  for (const field of ['certificateChain', 'notBefore', 'beginRefreshAt', 'notAfter'] as const)
    if ((status[field] ?? '') === '')
      errors.push(fieldError.required(`status.${field}`, 'must be set for issued certificates'));
  const [start, refresh, end] = [status.notBefore, status.beginRefreshAt, status.notAfter].map((time) =>
    Date.parse(time ?? ''),
  );
  if (start !== undefined && end !== undefined && end - start > (old.spec.maxExpirationSeconds ?? 0) * 1000)
    errors.push(
      fieldError.invalid(
        'status.notAfter',
        status.notAfter ?? '',
        'must be set consistently with spec.maxExpirationSeconds',
      ),
    );
  if (refresh !== undefined && start !== undefined && end !== undefined && !(refresh >= start && refresh <= end))
    errors.push(
      fieldError.invalid(
        'status.beginRefreshAt',
        status.beginRefreshAt ?? '',
        'must be between status.notBefore and status.notAfter',
      ),
    );
  return errors;
}
