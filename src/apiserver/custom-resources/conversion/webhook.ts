import { type Random, randomUuid } from '#base/random.ts';
import type { CustomResourceDefinition, WebhookConversion } from '#kinds/generated/types/apiextensions_v1.ts';
import { validateLabels } from '#kinds/validation/common.ts';
import { validateAnnotations } from '#kinds/validation/object-meta.ts';
import { ApiError } from '#machinery/errors.ts';
import { type ApiObject, type Json, type JsonObject, parseApiVersion } from '#machinery/meta.ts';
import type { WebhookClient } from '../../webhooks/client.ts';
import { reviewVersions } from '../definition/validate-conversion.ts';
import type { ConvertObjects } from './convert.ts';

/** A conversion that takes longer has failed. */
const timeoutMs = 30_000;

/** The converter of a definition whose versions a webhook turns into one another (ConversionReview). */
export function webhookConverter(
  { spec }: CustomResourceDefinition,
  { webhooks, random }: { readonly webhooks: WebhookClient; readonly random: Random },
): ConvertObjects | undefined {
  const { strategy, webhook } = spec.conversion ?? {};
  if (strategy !== 'Webhook' || webhook?.clientConfig === undefined) return undefined;
  return async (objects, apiVersion) => {
    const { kind, group, version } = gvkOf(objects[0]!);
    const what = `conversion webhook for ${group}/${version}, Kind=${kind}`;
    const waiting = objects.filter((object) => object.apiVersion !== apiVersion);
    if (waiting.length === 0) return objects;
    let converted: readonly ApiObject[];
    try {
      converted = await review({ webhook, webhooks, uid: randomUuid(random) }, waiting, apiVersion);
    } catch (error) {
      throw failure(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (converted.length !== waiting.length)
      throw failure(`${what} returned ${converted.length} objects, expected ${waiting.length}`);
    const answers = new Map(waiting.map((object, index) => [object, converted[index]!]));
    return objects.map((object, index) => {
      const answer = answers.get(object);
      return answer === undefined ? object : checked(object, answer, apiVersion, `${what} returned invalid`, index);
    });
  };
}

/** Upstream gives no reason for it. */
function failure(message: string): ApiError {
  return new ApiError(500, '', message);
}

interface Call {
  readonly webhook: WebhookConversion;
  readonly webhooks: WebhookClient;
  readonly uid: string;
}

interface ReviewResponse {
  readonly uid?: string;
  readonly convertedObjects?: readonly ApiObject[];
  readonly result?: { readonly status?: string; readonly message?: string };
}

/** @throws Error in upstream's words. */
async function review(
  { webhook, webhooks, uid }: Call,
  objects: readonly ApiObject[],
  desiredAPIVersion: string,
): Promise<readonly ApiObject[]> {
  const version = webhook.conversionReviewVersions.find((name) => reviewVersions.includes(name));
  if (version === undefined) throw new Error('no supported conversion review versions');
  const reviewVersion = `apiextensions.k8s.io/${version}`;
  const body = {
    kind: 'ConversionReview',
    apiVersion: reviewVersion,
    request: { uid, desiredAPIVersion, objects },
  };
  const answer = (await webhooks.call({
    config: webhook.clientConfig!,
    body,
    timeoutMs,
    announceTimeout: true,
  })) as JsonObject;
  const [expected, got] = [
    `${reviewVersion}, Kind=ConversionReview`,
    `${answer['apiVersion']}, Kind=${answer['kind']}`,
  ];
  if (version === 'v1' && expected !== got) throw new Error(`expected webhook response of ${expected}, got ${got}`);
  const response = answer['response'] as ReviewResponse | null | undefined;
  if (response === null || response === undefined) throw new Error('no response provided');
  if (version === 'v1' && response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  const { status = '', message = '' } = response.result ?? {};
  if (status !== 'Success')
    throw new Error(message === '' ? `response.result.status was '${status}', not 'Success'` : message);
  return response.convertedObjects ?? [];
}

function gvkOf({ apiVersion = '', kind = '' }: ApiObject): {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
} {
  return { ...parseApiVersion(apiVersion), kind };
}

/** What may differ is the body, labels and annotations; an object stays the object that it is. */
function checked(original: ApiObject, answer: ApiObject, apiVersion: string, what: string, index: number): ApiObject {
  const refuse = (part: string, why: string): never => {
    throw failure(`${what} ${part} at index ${index}: ${why}`);
  };
  if (answer.apiVersion !== apiVersion)
    refuse('converted object', `invalid groupVersion (expected ${apiVersion}, received ${answer.apiVersion})`);
  if (answer.kind !== original.kind)
    refuse('converted object', `invalid kind (expected ${original.kind}, received ${answer.kind})`);
  const { metadata } = answer as { readonly metadata?: unknown };
  if (typeof metadata !== 'object' || metadata === null)
    return refuse('metadata in object', 'missing metadata in converted object');
  const { name, namespace = '', uid, labels, annotations } = metadata as ApiObject['metadata'];
  const before = original.metadata;
  if (name !== before.name) refuse('converted object', `must have the same name: ${before.name} != ${name}`);
  if (namespace !== (before.namespace ?? ''))
    refuse('converted object', `must have the same namespace: ${before.namespace ?? ''} != ${namespace}`);
  if (uid !== before.uid) refuse('converted object', `must have the same UID: ${before.uid} != ${uid}`);
  const problems = [
    ...validateLabels((labels ?? undefined) as never, 'metadata.labels'),
    ...validateAnnotations((annotations ?? undefined) as never, 'metadata.annotation'),
  ];
  if (problems.length > 0)
    refuse('metadata in object', problems.map(({ path, message }) => `${path}: ${message}`).join(', '));
  const { labels: _, annotations: __, ...kept } = before;
  return {
    ...(answer as unknown as Record<string, Json>),
    metadata: {
      ...kept,
      ...(labels === undefined || labels === null ? {} : { labels }),
      ...(annotations === undefined || annotations === null ? {} : { annotations }),
    },
  } as unknown as ApiObject;
}
