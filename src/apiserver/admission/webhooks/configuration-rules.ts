import { boolType } from '#cel/index.ts';
import {
  mutatingWebhookConfigurationRules,
  validatingWebhookConfigurationRules,
} from '#kinds/admissionregistration/rules.ts';
import { type CompileCondition, validateWebhooks } from '#kinds/admissionregistration/webhook-validation.ts';
import type {
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from '#kinds/generated/types/admissionregistration_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { compileExpression } from '../expressions/compile.ts';
import { admissionEnvironment } from '../expressions/environment.ts';

const compileCondition: CompileCondition = (expression) =>
  compileExpression(expression, admissionEnvironment({ hasParams: false, hasAuthorizer: true }), [boolType]).error;

/** The kind's own rules, and that match conditions compile. */
export const mutatingConfigurationRules: KindRules<MutatingWebhookConfiguration> = {
  ...mutatingWebhookConfigurationRules,
  validateUpdateOnly: true,
  validate: (configuration) => validateWebhooks(configuration, undefined, compileCondition),
  validateUpdate: (configuration, old) => validateWebhooks(configuration, old, compileCondition),
};

export const validatingConfigurationRules: KindRules<ValidatingWebhookConfiguration> = {
  ...validatingWebhookConfigurationRules,
  validateUpdateOnly: true,
  validate: (configuration) => validateWebhooks(configuration, undefined, compileCondition),
  validateUpdate: (configuration, old) => validateWebhooks(configuration, old, compileCondition),
};
