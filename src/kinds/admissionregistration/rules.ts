import type * as admission from '#kinds/generated/types/admissionregistration_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { each } from '#kinds/validation/common.ts';
import { validateConditions } from '#kinds/validation/conditions.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { parseTemplate } from '#machinery/jsonpath/parse.ts';
import type { Mutable } from '#machinery/meta.ts';

type Webhook = Mutable<admission.ValidatingWebhook>;

const httpsPort = 443;

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= httpsPort;
}

function defaultMatch(match: Mutable<admission.MatchResources> | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

export const validatingWebhookConfigurationRules: KindRules<admission.ValidatingWebhookConfiguration> = {
  finalizerRule: 'any',
  defaults(configuration) {
    for (const webhook of configuration.webhooks ?? []) defaultWebhook(webhook);
  },
  hasGeneration: true,
  emptyCounts: true,
  allowUnconditionalUpdate: false,
};

export const mutatingWebhookConfigurationRules: KindRules<admission.MutatingWebhookConfiguration> = {
  finalizerRule: 'any',
  defaults(configuration) {
    for (const webhook of configuration.webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  hasGeneration: true,
  emptyCounts: true,
  allowUnconditionalUpdate: false,
};

export const validatingAdmissionPolicyRules: KindRules<admission.ValidatingAdmissionPolicy> = {
  finalizerRule: 'any',
  defaults({ spec }) {
    spec.failurePolicy ??= 'Fail';
    defaultMatch(spec.matchConstraints);
  },
  validateStatusUpdate: ({ status }) => [
    ...each(status?.typeChecking?.expressionWarnings, 'status.typeChecking.expressionWarnings', validateWarning),
    ...validateConditions(status?.conditions, 'status.conditions'),
  ],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
};

export const mutatingAdmissionPolicyRules: KindRules<admission.MutatingAdmissionPolicy> = {
  finalizerRule: 'any',
  defaults({ spec }) {
    spec.failurePolicy ??= 'Fail';
    defaultMatch(spec.matchConstraints);
  },
  hasGeneration: true,
  allowUnconditionalUpdate: false,
};

export const validatingAdmissionPolicyBindingRules: KindRules<admission.ValidatingAdmissionPolicyBinding> = {
  finalizerRule: 'any',
  defaults({ spec }) {
    defaultMatch(spec.matchResources);
  },
  hasGeneration: true,
  allowUnconditionalUpdate: false,
};

export const mutatingAdmissionPolicyBindingRules: KindRules<admission.MutatingAdmissionPolicyBinding> = {
  finalizerRule: 'any',
  defaults({ spec }) {
    defaultMatch(spec.matchResources);
  },
  hasGeneration: true,
  allowUnconditionalUpdate: false,
};

/** What the checking of types says of one expression. */
function validateWarning(
  { warning = '', fieldRef = '' }: Partial<admission.ExpressionWarning>,
  path: string,
): FieldError[] {
  const errors = warning === '' ? [fieldError.required(`${path}.warning`)] : [];
  const place = fieldRef.trim();
  if (place === '') return [...errors, fieldError.required(`${path}.fieldRef`)];
  try {
    parseTemplate(`{${place}}`);
    return errors;
  } catch (error) {
    return [...errors, fieldError.invalid(`${path}.fieldRef`, place, `invalid JSONPath: ${(error as Error).message}`)];
  }
}
