import type { LeaseCandidate } from '#kinds/generated/types/coordination_v1beta1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { immutable, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { configKeyProblems } from '#machinery/names.ts';
import { validateStrategy } from '../lease/validation.ts';

const semanticVersion = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[\w.-]+)?(\+[\w.-]+)?$/;
const versionMessage = 'must be a valid semantic version';

/** Who would like to hold a lease (KEP-4355). */
export const leaseCandidateRules: KindRules<LeaseCandidate> = {
  nameRule: 'pathSegment',
  validate: ({ metadata, spec }) => [
    ...invalidAll('metadata.name', metadata.name, configKeyProblems(metadata.name ?? '')),
    ...validateSpec(spec),
  ],
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec.leaseName, old.leaseName, 'spec.leaseName'),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
};

function validateSpec({
  leaseName,
  emulationVersion = '',
  binaryVersion = '',
  strategy = '',
}: LeaseCandidate['spec']): FieldError[] {
  const errors = (leaseName ?? '') === '' ? [fieldError.required('spec.leaseName')] : [];
  if (emulationVersion !== '' && !semanticVersion.test(emulationVersion))
    errors.push(fieldError.invalid('spec.emulationVersion', emulationVersion, versionMessage));
  if (binaryVersion === '') errors.push(fieldError.required('spec.binaryVersion'));
  else if (!semanticVersion.test(binaryVersion))
    errors.push(fieldError.invalid('spec.binaryVersion', binaryVersion, versionMessage));
  if (binaryVersion !== '' && emulationVersion !== '' && isOlder(binaryVersion, emulationVersion)) {
    const detail = 'must be greater than or equal to `emulationVersion`';
    errors.push(fieldError.invalid('spec.binaryVersion', binaryVersion, detail));
  }
  if (strategy === '') return [...errors, fieldError.required('spec.strategy')];
  if (strategy === 'OldestEmulationVersion' && emulationVersion === '') {
    const detail = "must be specified when `strategy` is 'OldestEmulationVersion'";
    errors.push(fieldError.required('spec.emulationVersion', detail));
  }
  return [...errors, ...validateStrategy(strategy, 'spec.strategy')];
}

function isOlder(left: string, right: string): boolean {
  const numbers = (text: string): number[] => semanticVersion.exec(text)?.slice(1, 4).map(Number) ?? [0, 0, 0];
  const [mine, theirs] = [numbers(left), numbers(right)];
  for (const [index, number] of mine.entries()) if (number !== theirs[index]) return number < theirs[index]!;
  return false;
}
