import { LruCache } from '#base/lru-cache.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { stringifyJson } from '#machinery/json.ts';
import { ConfiguredWebhook } from '../../webhooks/configured.ts';
import { type AdmissionAttributes, type PluginContext, type PluginEntry, refusal } from '../plugin.ts';

/** `imagePolicy` of the plugin's configuration; times in seconds, the back-off in milliseconds. */
interface ImagePolicy {
  readonly kubeConfigFile?: string;
  readonly allowTTL?: number;
  readonly denyTTL?: number;
  readonly retryBackoff?: number;
  /** What happens when the backend does not answer. */
  readonly defaultAllow?: boolean;
}

interface ImageReviewStatus {
  readonly allowed?: boolean;
  readonly reason?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

const defaultAllowSeconds = 5 * 60;
const defaultDenySeconds = 30;
const timeoutMs = 30_000;
/** Answers that are kept. */
const maxAnswers = 1024;
const annotationPattern = /\.image-policy\.k8s\.io\//;
const auditPrefix = 'imagepolicywebhook.image-policy.k8s.io/';

/** A backend says which images may run: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#imagepolicywebhook */
export const imagePolicyWebhook: PluginEntry = {
  name: 'ImagePolicyWebhook',
  byDefault: false,
  create(context) {
    const policy = (context.configuration as { readonly imagePolicy?: ImagePolicy } | undefined)?.imagePolicy;
    if (policy?.kubeConfigFile === undefined)
      throw new Error('ImagePolicyWebhook configuration: imagePolicy.kubeConfigFile is required');
    const reviewer = new Reviewer(policy, policy.kubeConfigFile, context);
    return {
      name: 'ImagePolicyWebhook',
      operations: ['CREATE', 'UPDATE'],
      resources: ['/pods', '/pods/ephemeralcontainers'],
      validate: (attributes) => judge(attributes, reviewer, policy.defaultAllow === true),
    };
  },
};

async function judge(attributes: AdmissionAttributes, reviewer: Reviewer, defaultAllow: boolean): Promise<void> {
  const pod = attributes.object as Pod;
  let status: ImageReviewStatus;
  try {
    status = await reviewer.review(specOf(attributes, pod));
  } catch (error) {
    if (!defaultAllow) throw refusal(attributes, error instanceof Error ? error.message : String(error));
    attributes.request.annotate?.(`${auditPrefix}failed-open`, 'true');
    return;
  }
  for (const [key, value] of Object.entries(status.auditAnnotations ?? {}))
    attributes.request.annotate?.(`${auditPrefix}${key}`, value);
  if (status.allowed === true) return;
  const { reason = '' } = status;
  const why = `image policy webhook backend denied one or more images: ${reason}`;
  throw refusal(attributes, reason === '' ? 'one or more images rejected by webhook backend' : why);
}

function specOf({ request }: AdmissionAttributes, { metadata, spec }: Pod): object {
  const all: readonly Pick<Container, 'image'>[] =
    request.subresource === 'ephemeralcontainers'
      ? (spec.ephemeralContainers ?? [])
      : [...spec.containers, ...(spec.initContainers ?? [])];
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => annotationPattern.test(key));
  return {
    containers: all.map(({ image }) => ({ image })),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    namespace: request.namespace,
  };
}

/** Asks the backend, and remembers what it said for a while. */
class Reviewer {
  readonly #policy: ImagePolicy;
  readonly #webhook: ConfiguredWebhook;
  readonly #clock: PluginContext['environment']['clock'];
  readonly #answers = new LruCache<string, { readonly status: ImageReviewStatus; readonly untilMs: number }>(
    maxAnswers,
  );

  constructor(policy: ImagePolicy, kubeConfigFile: string, { environment }: PluginContext) {
    this.#policy = policy;
    this.#clock = environment.clock;
    this.#webhook = new ConfiguredWebhook(kubeConfigFile, environment.clock);
  }

  /** @throws Error when there is no answer. */
  async review(spec: object): Promise<ImageReviewStatus> {
    const key = stringifyJson(spec);
    const known = this.#answers.get(key);
    if (known !== undefined && known.untilMs > this.#clock.monotonic()) return known.status;
    const review = { kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', metadata: {}, spec };
    const answer = (await this.#webhook.post(review, timeoutMs)) as { readonly status?: ImageReviewStatus } | undefined;
    const status = answer?.status;
    if (status === undefined) throw new Error('the image policy webhook answered without a status');
    const { allowTTL = defaultAllowSeconds, denyTTL = defaultDenySeconds } = this.#policy;
    const seconds = status.allowed === true ? allowTTL : denyTTL;
    this.#answers.set(key, { status, untilMs: this.#clock.monotonic() + seconds * 1000 });
    return status;
  }
}
