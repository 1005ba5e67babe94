import type { ClusterTrustBundle } from '#kinds/generated/types/certificates_v1beta1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { signerNameErrors } from '../certificate-signing-request/validation.ts';

const maxBundleBytes = 1024 * 1024;

export const clusterTrustBundleRules: KindRules<ClusterTrustBundle> = {
  validate: ({ metadata, spec }) => [
    ...nameErrors(metadata.name ?? '', spec.signerName ?? ''),
    ...((spec.signerName ?? '') === '' ? [] : signerNameErrors(spec.signerName ?? '', 'spec.signerName')),
    ...bundleErrors(spec.trustBundle ?? ''),
  ],
  validateUpdate: ({ spec }, old) =>
    (spec.signerName ?? '') === (old.spec.signerName ?? '')
      ? []
      : [fieldError.invalid('spec.signerName', spec.signerName ?? '', 'field is immutable')],
  nameRule: 'pathSegment',
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName ?? '' },
};

/** A bundle of a signer bears its name, so that nobody else's can be taken for it. */
function nameErrors(name: string, signerName: string): FieldError[] {
  if (signerName === '') {
    if (!name.includes(':')) return [];
    return [
      fieldError.invalid('metadata.name', name, 'ClusterTrustBundle without signer name must not have ":" in its name'),
    ];
  }
  const prefix = `${signerName.replaceAll('/', ':')}:`;
  if (name.startsWith(prefix) && name.length > prefix.length) return [];
  const detail = `ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`;
  return [fieldError.invalid('metadata.name', name, detail)];
}

/** What can be told without knowing X.509; the server looks into the certificates. */
function bundleErrors(bundle: string): FieldError[] {
  const path = 'spec.trustBundle';
  if (bundle.length > maxBundleBytes) return [fieldError.tooLong(path, maxBundleBytes)];
  const types = [...bundle.matchAll(/-----BEGIN ([^-]*)-----/g)].map(([, type]) => type ?? '');
  if (types.length === 0)
    return [fieldError.invalid(path, '<value omitted>', 'at least one trust anchor must be provided')];
  return types.flatMap((type, index) =>
    type === 'CERTIFICATE'
      ? []
      : [fieldError.invalid(path, '<value omitted>', `entry ${index} has bad block type: ${type}`)],
  );
}
