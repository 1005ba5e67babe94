import { age, name } from '#kinds/cells.ts';
import type * as admission from '#kinds/generated/types/admissionregistration_v1.ts';
import type * as apiregistration from '#kinds/generated/types/apiregistration_v1.ts';
import type * as certificates from '#kinds/generated/types/certificates_v1.ts';
import type * as coordination from '#kinds/generated/types/coordination_v1.ts';
import type * as flowcontrol from '#kinds/generated/types/flowcontrol_v1.ts';
import type * as node from '#kinds/generated/types/node_v1.ts';
import type * as policy from '#kinds/generated/types/policy_v1.ts';
import type * as rbac from '#kinds/generated/types/rbac_v1.ts';
import type * as resource from '#kinds/generated/types/resource_v1.ts';
import type * as scheduling from '#kinds/generated/types/scheduling_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { formatAge } from '#machinery/time.ts';

/** Cells of small tables. */

export function nameAndAgeCells(object: ApiObject, now: number): readonly Cell[] {
  return [name(object), age(object, now)];
}

export function nameAndCreationCells(object: ApiObject): readonly Cell[] {
  return [name(object), object.metadata.creationTimestamp ?? null];
}

export function apiServiceCells(service: apiregistration.APIService, now: number): readonly Cell[] {
  const { service: backend } = service.spec;
  const available = service.status?.conditions?.find(({ type }) => type === 'Available');
  let status = 'Unknown';
  if (available?.status === 'True') status = 'True';
  else if (available !== undefined) status = `${available.status} (${available.reason ?? ''})`;
  return [
    name(service),
    backend === undefined ? 'Local' : `${backend.namespace}/${backend.name}`,
    status,
    age(service, now),
  ];
}

export function bindingCells(binding: rbac.RoleBinding, now: number): readonly Cell[] {
  const subjects = (kind: string): string =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
      .join(', ');
  const role = `${binding.roleRef.kind}/${binding.roleRef.name}`;
  return [name(binding), role, age(binding, now), subjects('User'), subjects('Group'), subjects('ServiceAccount')];
}

export function certificateSigningRequestCells(
  request: certificates.CertificateSigningRequest,
  now: number,
): readonly Cell[] {
  const { spec, status } = request;
  const has = (condition: string): boolean => status?.conditions?.some(({ type }) => type === condition) === true;
  const states = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'];
  if (has('Failed')) states.push('Failed');
  if ((status?.certificate ?? '') !== '') states.push('Issued');
  const duration = spec.expirationSeconds === undefined ? '<none>' : formatAge(spec.expirationSeconds * 1000);
  return [
    name(request),
    age(request, now),
    spec.signerName || '<none>',
    spec.username ?? '',
    duration,
    states.join(','),
  ];
}

export function leaseCells(lease: coordination.Lease, now: number): readonly Cell[] {
  return [name(lease), lease.spec?.holderIdentity ?? '', age(lease, now)];
}

export function podDisruptionBudgetCells(budget: policy.PodDisruptionBudget, now: number): readonly Cell[] {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  const text = (value: number | string | undefined): string => (value === undefined ? 'N/A' : String(value));
  const allowed = budget.status?.disruptionsAllowed ?? 0;
  return [name(budget), text(minAvailable), text(maxUnavailable), allowed, age(budget, now)];
}

export function priorityClassCells(priority: scheduling.PriorityClass, now: number): readonly Cell[] {
  return [
    name(priority),
    priority.value ?? 0,
    priority.globalDefault ?? false,
    age(priority, now),
    priority.preemptionPolicy ?? '',
  ];
}

export function runtimeClassCells(runtime: node.RuntimeClass, now: number): readonly Cell[] {
  return [name(runtime), runtime.handler, age(runtime, now)];
}

export function flowSchemaCells(schema: flowcontrol.FlowSchema, now: number): readonly Cell[] {
  const { spec, status } = schema;
  return [
    name(schema),
    spec?.priorityLevelConfiguration.name ?? '',
    spec?.matchingPrecedence ?? 0,
    spec?.distinguisherMethod?.type ?? '<none>',
    age(schema, now),
    status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ];
}

export function priorityLevelCells(level: flowcontrol.PriorityLevelConfiguration, now: number): readonly Cell[] {
  const limited = level.spec?.limited;
  const queuing = limited?.limitResponse?.queuing;
  const text = (value: number | undefined): Cell => value ?? '<none>';
  return [
    name(level),
    level.spec?.type ?? '',
    text(limited?.nominalConcurrencyShares),
    text(queuing?.queues),
    text(queuing?.handSize),
    text(queuing?.queueLengthLimit),
    age(level, now),
  ];
}

export function webhookConfigurationCells(
  configuration: admission.ValidatingWebhookConfiguration | admission.MutatingWebhookConfiguration,
  now: number,
): readonly Cell[] {
  return [name(configuration), (configuration.webhooks ?? []).length, age(configuration, now)];
}

function paramKindText(kind: admission.ParamKind | undefined): string {
  return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;
}

export function validatingPolicyCells(object: admission.ValidatingAdmissionPolicy, now: number): readonly Cell[] {
  const { validations, paramKind } = object.spec;
  return [name(object), (validations ?? []).length, paramKindText(paramKind), age(object, now)];
}

export function mutatingPolicyCells(object: admission.MutatingAdmissionPolicy, now: number): readonly Cell[] {
  const { mutations, paramKind } = object.spec;
  return [name(object), (mutations ?? []).length, paramKindText(paramKind), age(object, now)];
}

export function policyBindingCells(
  binding: admission.ValidatingAdmissionPolicyBinding | admission.MutatingAdmissionPolicyBinding,
  now: number,
): readonly Cell[] {
  const { policyName = '', paramRef } = binding.spec;
  const param = paramRef?.name === undefined ? '<unset>' : `${paramRef.namespace ?? '*'}/${paramRef.name}`;
  return [name(binding), policyName, param, age(binding, now)];
}

export function resourceClaimCells(claim: resource.ResourceClaim, now: number): readonly Cell[] {
  const isDeleted = claim.metadata.deletionTimestamp !== undefined;
  const states = isDeleted ? ['deleted'] : [];
  if (claim.status?.allocation !== undefined) states.push('allocated');
  else if (!isDeleted) states.push('pending');
  if (claim.status?.allocation !== undefined && (claim.status.reservedFor ?? []).length > 0) states.push('reserved');
  return [name(claim), states.join(','), age(claim, now)];
}

export function resourceSliceCells(slice: resource.ResourceSlice, now: number): readonly Cell[] {
  const { nodeName = '', driver, pool } = slice.spec;
  return [name(slice), nodeName, driver, pool.name, age(slice, now)];
}
