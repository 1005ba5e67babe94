import { X509Certificate } from 'node:crypto';
import { signerNameErrors } from '#kinds/certificates/certificate-signing-request/validation.ts';
import type { ClusterTrustBundle } from '#kinds/generated/types/certificates_v1beta1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { immutable, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, subdomainProblems } from '#machinery/names.ts';

const maxBundleBytes = 1024 * 1024;
const path = 'spec.trustBundle';

/** Trust anchors that a signer publishes (KEP-3257). */
export const trustBundleRules: KindRules<ClusterTrustBundle> = {
  nameRule: 'pathSegment',
  validateUpdateOnly: true,
  validate: (bundle) => [...validateNames(bundle), ...validateAnchors(bundle.spec.trustBundle ?? '')],
  validateUpdate: (bundle, old) => [
    ...validateNames(bundle),
    ...(bundle.spec.trustBundle === old.spec.trustBundle ? [] : validateAnchors(bundle.spec.trustBundle ?? '')),
    ...immutable(bundle.spec.signerName, old.spec.signerName, 'spec.signerName'),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName ?? '' },
  allowUnconditionalUpdate: false,
};

/** A signer's bundles carry its name in front of theirs. */
function validateNames({ metadata, spec }: ClusterTrustBundle): FieldError[] {
  const { name = '' } = metadata;
  const { signerName = '' } = spec;
  const wrong = (detail: string): FieldError[] => [fieldError.invalid('metadata.name', name, detail)];
  if (signerName === '') {
    if (name.includes(':')) return wrong('ClusterTrustBundle without signer name must not have ":" in its name');
    return invalidAll('metadata.name', name, subdomainProblems(name));
  }
  const prefix = `${signerName.replaceAll('/', ':')}:`;
  const errors = name.startsWith(prefix)
    ? invalidAll('metadata.name', name, subdomainProblems(name.slice(prefix.length)))
    : wrong(`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`);
  return [...errors, ...signerNameErrors(signerName, 'spec.signerName')];
}

function validateAnchors(bundle: string): FieldError[] {
  if (byteLength(bundle) > maxBundleBytes) return [fieldError.tooLong(path, maxBundleBytes)];
  const wrong = (detail: string): FieldError => fieldError.invalid(path, '<value omitted>', detail);
  const seen = new Map<string, number[]>();
  const errors: FieldError[] = [];
  for (const [index, { pem, type }] of pemBlocks(bundle).entries()) {
    const problem = type === 'CERTIFICATE' ? anchorProblem(pem) : `has bad block type: ${type}`;
    if (problem !== undefined) errors.push(wrong(`entry ${index} ${problem}`));
    const indices = seen.get(pem);
    if (indices === undefined) seen.set(pem, [index]);
    else indices.push(index);
  }
  if (errors.length > 0) return errors;
  if (seen.size === 0) return [wrong('at least one trust anchor must be provided')];
  return [...seen.values()]
    .filter((indices) => indices.length > 1)
    .map((indices) => wrong(`duplicate trust anchor (indices [${indices.join(' ')}])`));
}

interface PemBlock {
  readonly pem: string;
  readonly type: string;
}

/** What stands between a beginning and the next end, where both name one type. Reads the text once, whatever it is. */
function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const ends = text.matchAll(/-----END ([A-Z0-9 ]+)-----/g);
  let end = ends.next().value;
  for (const { index, 0: beginning, 1: type = '' } of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)) {
    while (end !== undefined && end.index < index + beginning.length) end = ends.next().value;
    if (end === undefined) break;
    if (end[1] === type) blocks.push({ pem: text.slice(index, end.index + end[0].length), type });
  }
  return blocks;
}

function anchorProblem(pem: string): string | undefined {
  if (/^[\w-]+: /m.test(pem)) return 'has PEM block headers';
  try {
    return new X509Certificate(pem).ca ? undefined : 'does not have the CA bit set';
  } catch {
    return 'does not parse as X.509';
  }
}
