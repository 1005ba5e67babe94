import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { ConditionChange } from './conditions.ts';

/** Groups of the community's own, whose kinds have to have been reviewed. */
const protectedGroup = /(^|\.)(k8s|kubernetes)\.io$/;
const approvalAnnotation = 'api-approved.kubernetes.io';
const rule = 'https://github.com/kubernetes/enhancements/pull/1111';

type Approval =
  | { readonly state: 'approved'; readonly by: string }
  | { readonly state: 'bypassed'; readonly reason: string }
  | { readonly state: 'missing' }
  | { readonly state: 'invalid'; readonly value: string };

function approvalOf({ metadata }: CustomResourceDefinition): Approval {
  const value = metadata.annotations?.[approvalAnnotation] ?? '';
  if (value === '') return { state: 'missing' };
  if (value.startsWith('unapproved')) return { state: 'bypassed', reason: value };
  return /^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(value) ? { state: 'approved', by: value } : { state: 'invalid', value };
}

/** Whether the policy for groups such as `x.k8s.io` is kept; undefined for groups that it does not concern. */
export function approvalCondition(definition: CustomResourceDefinition): ConditionChange | undefined {
  if (!protectedGroup.test(definition.spec.group)) return undefined;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const approval = approvalOf(definition);
  switch (approval.state) {
    case 'approved':
      return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${approval.by}` };
    case 'bypassed':
      return {
        type,
        status: 'False',
        reason: 'UnapprovedAnnotation',
        message: `not approved: ${JSON.stringify(approval.reason)}`,
      };
    case 'missing':
      return { type, status: 'False', reason: 'MissingAnnotation', message: missingMessage };
    case 'invalid':
      return { type, status: 'False', reason: 'InvalidAnnotation', message: invalidMessage };
  }
}

const missingMessage = `protected groups must have approval annotation ${JSON.stringify(approvalAnnotation)}, see ${rule}`;
const invalidMessage = `protected groups must have approval annotation ${JSON.stringify(approvalAnnotation)} with either a URL or a reason starting with "unapproved", see ${rule}`;

/** Refuses a definition in a protected group that nobody approved. A definition that was there before may stay. */
export function validateApproval(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (!protectedGroup.test(definition.spec.group)) return [];
  const before = old?.metadata.annotations?.[approvalAnnotation];
  if (old !== undefined && before === definition.metadata.annotations?.[approvalAnnotation]) return [];
  const approval = approvalOf(definition);
  const path = `metadata.annotations[${approvalAnnotation}]`;
  if (approval.state === 'missing') return [fieldError.required(path, missingMessage)];
  return approval.state === 'invalid' ? [fieldError.invalid(path, approval.value, invalidMessage)] : [];
}
