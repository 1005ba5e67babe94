import {
  mutatingAdmissionPolicyBindingRules,
  mutatingAdmissionPolicyRules,
  validatingAdmissionPolicyBindingRules,
  validatingAdmissionPolicyRules,
} from '#kinds/admissionregistration/rules.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { FieldError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import {
  validateMutatingBinding,
  validateMutatingPolicy,
  validateValidatingBinding,
  validateValidatingPolicy,
} from './validation.ts';

/** The kind's own rules, and what is wrong with its expressions. */
function withValidation<T extends ApiObject>(
  rules: KindRules<T>,
  validate: (object: T) => readonly FieldError[],
): KindRules {
  const own: KindRules<T> = { ...rules, validate: (object) => validate(object) };
  // A generic table meets typed kinds.
  return own as unknown as KindRules;
}

/** Rules of policies and bindings by `group/resource`. */
export const policyRules: Readonly<Record<string, KindRules>> = {
  'admissionregistration.k8s.io/validatingadmissionpolicies': withValidation(
    validatingAdmissionPolicyRules,
    validateValidatingPolicy,
  ),
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': withValidation(
    validatingAdmissionPolicyBindingRules,
    validateValidatingBinding,
  ),
  'admissionregistration.k8s.io/mutatingadmissionpolicies': withValidation(
    mutatingAdmissionPolicyRules,
    validateMutatingPolicy,
  ),
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': withValidation(
    mutatingAdmissionPolicyBindingRules,
    validateMutatingBinding,
  ),
};
