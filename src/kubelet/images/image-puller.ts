import type { Clock } from '#base/clock.ts';
import type { Container, Pod, Secret } from '#kinds/generated/types/core_v1.ts';
import { formatDuration } from '#machinery/time.ts';
import { Backoff } from '../backoff.ts';
import type { Cri, Image, PodSandboxConfig } from '../cri/cri.ts';
import { StartError } from '../pods/start-error.ts';
import { Semaphore } from '../semaphore.ts';
import { credentialsFor } from './credentials.ts';
import { formatImageReference, type ImageReference, parseImageReference } from './reference.ts';

export interface PullRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly secrets: () => Promise<readonly Secret[]>;
  /** Absent for what is pulled before there is a sandbox. */
  readonly sandboxConfig?: PodSandboxConfig;
  readonly note: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** Failures and logins that are remembered. */
const maxRememberedPulls = 1000;

/** Makes sure that a container's image is there, by its pull policy. Throws StartError with upstream's reasons. */
export class ImagePuller {
  readonly #cri: Cri;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #permits: Semaphore;
  readonly #lastFailure = new Map<string, { readonly message: string; readonly atMs: number }>();
  /** Images that were pulled with credentials, and for which of them: others must show their own (KEP-2535). */
  readonly #privateImages = new Map<string, Set<string>>();

  constructor(options: {
    readonly cri: Cri;
    readonly clock: Clock;
    readonly maxConcurrentPulls: number;
    readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  }) {
    this.#cri = options.cri;
    this.#clock = options.clock;
    this.#backoff = new Backoff(options.clock, options.backoff);
    this.#permits = new Semaphore(options.maxConcurrentPulls);
  }

  forget(podUid: string): void {
    this.#backoff.forget(`${podUid}/`);
  }

  async ensure(
    request: PullRequest,
    signal: AbortSignal,
  ): Promise<{ readonly ref: string; readonly image: Image | undefined }> {
    const { container, note } = request;
    const name = container.image ?? '';
    const reference = parseImageReference(name);
    if (reference === undefined) {
      const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`;
      note('Warning', 'InspectFailed', message);
      throw new StartError('InvalidImageName', message);
    }
    const spec = { image: formatImageReference(reference) };
    const present = await this.#cri.imageStatus(spec, signal);
    const policy = container.imagePullPolicy ?? (reference.tag === 'latest' ? 'Always' : 'IfNotPresent');
    if (policy === 'Never' && present === undefined) {
      const message = `Container image "${name}" is not present with pull policy of Never`;
      note('Warning', 'ErrImageNeverPull', message);
      throw new StartError('ErrImageNeverPull', message);
    }
    if (present !== undefined && policy !== 'Always' && (await this.#mayUse(request, reference))) {
      note('Normal', 'Pulled', `Container image "${name}" already present on machine and can be accessed by the pod`);
      return { ref: present.id, image: present };
    }
    return this.#pull(request, reference, signal);
  }

  async #pull(
    request: PullRequest,
    reference: ImageReference,
    signal: AbortSignal,
  ): Promise<{ readonly ref: string; readonly image: Image | undefined }> {
    const { pod, container, note } = request;
    const name = container.image ?? '';
    const key = backoffKey(pod, name);
    if (this.waitMs(pod, container) > 0) {
      const message = `Back-off pulling image "${name}"`;
      note('Normal', 'BackOff', message);
      throw new StartError(
        'ImagePullBackOff',
        `${message}: ErrImagePull: ${this.#lastFailure.get(key)?.message ?? ''}`,
      );
    }
    note('Normal', 'Pulling', `Pulling image "${name}"`);
    const askedMs = this.#clock.monotonic();
    try {
      const release = await this.#permits.acquire(signal);
      const startedMs = this.#clock.monotonic();
      try {
        const ref = await this.#tryPull(request, reference, signal);
        const image = await this.#cri.imageStatus({ image: formatImageReference(reference) }, signal);
        const tookMs = Math.round(this.#clock.monotonic() - startedMs);
        const wholeMs = Math.round(this.#clock.monotonic() - askedMs);
        const size = image === undefined ? '' : ` Image size: ${image.size} bytes.`;
        note(
          'Normal',
          'Pulled',
          `Successfully pulled image "${name}" in ${formatDuration(tookMs)} (${formatDuration(wholeMs)} including waiting).${size}`,
        );
        this.#lastFailure.delete(key);
        return { ref: image?.id ?? ref, image };
      } finally {
        release();
      }
    } catch (error) {
      signal.throwIfAborted();
      const cause = error instanceof Error ? error.message : String(error);
      note('Warning', 'Failed', `Failed to pull image "${name}": ${cause}`);
      this.#backoff.next(key, this.#clock.now());
      this.#remember(key, cause);
      throw new StartError('ErrImagePull', cause);
    }
  }

  #remember(key: string, message: string): void {
    if (this.#lastFailure.size >= maxRememberedPulls)
      this.#lastFailure.delete(this.#lastFailure.keys().next().value ?? '');
    this.#lastFailure.set(key, { message, atMs: this.#clock.now() });
  }

  /** Milliseconds until the pull of this image may be tried again. */
  waitMs(pod: Pod, container: Container): number {
    const key = backoffKey(pod, container.image ?? '');
    const last = this.#lastFailure.get(key);
    return last === undefined ? 0 : this.#backoff.remainingMs(key, last.atMs);
  }

  async #tryPull(request: PullRequest, reference: ImageReference, signal: AbortSignal): Promise<string> {
    const image = { image: formatImageReference(reference), userSpecifiedImage: request.container.image ?? '' };
    const sandbox = request.sandboxConfig === undefined ? {} : { sandboxConfig: request.sandboxConfig };
    const logins = credentialsFor(reference, await request.secrets());
    if (logins.length === 0) return this.#cri.pullImage({ image, ...sandbox }, signal);
    let failure: unknown;
    for (const auth of logins) {
      try {
        const ref = await this.#cri.pullImage({ image, ...sandbox, auth }, signal);
        this.#recordLogin(image.image, `${auth.username}:${auth.password}`);
        return ref;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #recordLogin(image: string, login: string): void {
    if (this.#privateImages.size >= maxRememberedPulls)
      this.#privateImages.delete(this.#privateImages.keys().next().value ?? '');
    this.#privateImages.set(image, (this.#privateImages.get(image) ?? new Set()).add(login));
  }

  /** An image that needed a login may only be used by pods that have one which worked. */
  async #mayUse(request: PullRequest, reference: ImageReference): Promise<boolean> {
    const logins = this.#privateImages.get(formatImageReference(reference));
    if (logins === undefined || request.container.imagePullPolicy === 'Never') return true;
    const own = credentialsFor(reference, await request.secrets());
    return own.some(({ username, password }) => logins.has(`${username}:${password}`));
  }
}

function backoffKey(pod: Pod, image: string): string {
  return `${pod.metadata.uid}/${image}`;
}
