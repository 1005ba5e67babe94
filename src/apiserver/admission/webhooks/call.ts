import { randomUuid } from '#base/random.ts';
import { ApiError, badRequest, forbidden, internalError } from '#machinery/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { WebhookFailure } from '../../webhooks/client.ts';
import { type ObjectsView, objectsIn } from '../objects.ts';
import { type AdmissionAttributes, subjectName } from '../plugin.ts';
import { type Answer, denial, readAnswer } from './answer.ts';
import type { Hook, WebhookType } from './hooks.ts';
import { reviewVersion, writeReview } from './review.ts';

const defaultTimeoutSeconds = 10;
const typeLabels = { mutating: 'admit', validating: 'validating' } as const;

/** A hook that a request has to pass, with the version in which it wants to see the objects. */
export interface Invocation {
  readonly hook: Hook;
  readonly resource: ServedResource;
}

/**
 * Whether the request matches a hook, and in which version. What mutating hooks change may keep later ones from
 * matching: each is asked when its turn comes.
 * @throws ApiError where that cannot be told.
 */
export async function invocationOf(
  registry: Registry,
  attributes: AdmissionAttributes,
  { hook, type }: { readonly hook: Hook; readonly type: WebhookType },
): Promise<Invocation | undefined> {
  const resource = hook.matcher.match(registry, attributes);
  if (resource === undefined) return undefined;
  if (hook.conditions === undefined) return { hook, resource };
  const { matches, error } = await hook.conditions.match(registry, attributes, resource);
  if (matches) return { hook, resource };
  const { metrics } = registry.admission;
  const { webhook } = hook;
  const labels = { name: webhook.name, kind: 'webhook', type: typeLabels[type], operation: attributes.operation };
  if (error === undefined) metrics.matchConditionExclusions.add(labels);
  else metrics.matchConditionErrors.add(labels);
  if (error === undefined || webhook.failurePolicy === 'Ignore') return undefined;
  throw forbidden(attributes.request.resource.kind, subjectName(attributes), error);
}

/** The objects in the version that the hook wants. A failed conversion is an internal error twice over, as upstream. */
export function viewFor(attributes: AdmissionAttributes, { resource }: Invocation): ObjectsView | Promise<ObjectsView> {
  const view = objectsIn(attributes, resource);
  if (!(view instanceof Promise)) return view;
  return view.catch((error: Error) => {
    throw internalError(internalError(error.message).message);
  });
}

export interface CallSubject extends Invocation {
  readonly type: WebhookType;
  readonly attributes: AdmissionAttributes;
  readonly view: ObjectsView;
}

/**
 * Asks one webhook. Undefined when it could not be asked and its policy is to let the request through.
 * @throws ApiError when it refuses, or cannot be asked and has to be.
 */
export async function callWebhook(registry: Registry, subject: CallSubject): Promise<Answer | undefined> {
  const { hook, type, attributes } = subject;
  const { webhook } = hook;
  const isDryRun = attributes.request.options.dryRun === true;
  if (isDryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  const { clock } = registry.environment;
  const metrics = registry.admission.metrics;
  const startedMs = clock.monotonic();
  const labels = { name: webhook.name, type: typeLabels[type], operation: attributes.operation };
  const finish = (code: number, rejected: boolean): void => {
    const seconds = (clock.monotonic() - startedMs) / 1000;
    const { timing } = attributes.request;
    if (timing !== undefined) timing.outsideMs += seconds * 1000;
    metrics.webhookDurations.observe({ ...labels, rejected: String(rejected) }, seconds);
    metrics.webhookRequests.add({ ...labels, code: String(code), rejected: String(rejected) });
  };
  let answer: Answer;
  try {
    answer = await ask(registry, subject);
  } catch (error) {
    const mayPass = webhook.failurePolicy === 'Ignore';
    finish((error as WebhookFailure).status ?? 600, !mayPass);
    const why = `failed calling webhook ${JSON.stringify(webhook.name)}: ${(error as Error).message}`;
    registry.environment.log.warn(mayPass ? 'webhook failed, request let through' : 'webhook failed', { error: why });
    if (!mayPass) {
      metrics.webhookRejections.add({ ...labels, error_type: 'calling_webhook_error', rejection_code: '0' });
      throw internalError(why);
    }
    metrics.webhookFailOpen.add({ name: webhook.name, type: labels.type });
    attributes.request.annotate?.(`failed-open.${annotationPrefix(type)}`, webhook.name);
    return undefined;
  }
  for (const warning of answer.warnings) attributes.request.warn(warning);
  for (const [key, value] of Object.entries(answer.auditAnnotations))
    attributes.request.annotate?.(`${webhook.name}/${key}`, value);
  if (answer.allowed) {
    finish(200, false);
    return answer;
  }
  const refusal = denial(webhook.name, answer.status);
  finish(refusal.code, true);
  metrics.webhookRejections.add({ ...labels, error_type: 'no_error', rejection_code: String(refusal.code) });
  throw refusal;
}

export function annotationPrefix(type: WebhookType): string {
  return type === 'mutating' ? 'mutation.webhook.admission.k8s.io/' : 'validating.webhook.admission.k8s.io/';
}

/** @throws Error in upstream's words when there is no answer that counts. */
async function ask(registry: Registry, subject: CallSubject): Promise<Answer> {
  const { hook, type, attributes } = subject;
  const { webhook } = hook;
  const uid = randomUuid(registry.environment.random);
  const version = reviewVersion(webhook.admissionReviewVersions);
  const body = await registry.webhooks
    .call({
      config: webhook.clientConfig,
      body: writeReview(version, { ...subject, uid }),
      timeoutMs: (webhook.timeoutSeconds ?? defaultTimeoutSeconds) * 1000,
      announceTimeout: true,
      signal: attributes.request.signal,
    })
    .catch((error: unknown) => {
      if (!(error instanceof WebhookFailure)) throw error;
      throw new WebhookFailure(`failed to call webhook: ${error.message}`, error.status);
    });
  try {
    return readAnswer(body, { version, type, uid });
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`received invalid webhook response: ${what}`);
  }
}
