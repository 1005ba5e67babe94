import type { Environment } from '#base/environment.ts';
import { KeyedQueue } from '#base/keyed-queue.ts';
import type { Client } from '#client/client.ts';
import { ValidatingAdmissionPolicy as PolicyKind } from '#kinds/generated/handles.ts';
import type { ValidatingAdmissionPolicy } from '#kinds/generated/types/admissionregistration_v1.ts';
import type { ResourceCache } from '../../cache/resource-cache.ts';
import type { ResourceTable } from '../../resources/resource.ts';
import { workThrough } from '../../work.ts';
import { checkTypes } from './type-checking.ts';

export interface StatusControllerOptions {
  readonly resources: ResourceTable;
  readonly client: Client;
  readonly environment: Environment;
}

/** The service account whose work this is upstream, where the controller manager does it. */
export const statusControllerUser = 'system:serviceaccount:kube-system:validatingadmissionpolicy-status-controller';

/** Writes into the status of each policy what its expressions get wrong, once for each generation (KEP-3488). */
export class PolicyStatusController {
  readonly #options: StatusControllerOptions;
  readonly #policies: ResourceCache;
  readonly #queue: KeyedQueue;

  constructor(options: StatusControllerOptions) {
    this.#options = options;
    this.#queue = new KeyedQueue(options.environment.clock);
    this.#policies = options.resources.of(PolicyKind).storage!.cache;
    this.#policies.onEvent(({ type, key }) => {
      if (type !== 'DELETED' && this.#unchecked(key) !== undefined) this.#queue.add(key);
    });
    for (const { key } of this.#policies.entries()) this.#queue.add(key);
  }

  /** The policy, unless its status speaks of this generation already. */
  #unchecked(name: string): ValidatingAdmissionPolicy | undefined {
    const policy = this.#policies.get(name)?.value.object as ValidatingAdmissionPolicy | undefined;
    return policy?.status?.observedGeneration === policy?.metadata.generation ? undefined : policy;
  }

  /** Works until it is stopped. */
  run(): Promise<void> {
    return workThrough(this.#queue, { log: this.#options.environment.log, what: 'validatingAdmissionPolicy' }, (name) =>
      this.#sync(name),
    );
  }

  stop(): void {
    this.#queue.close();
  }

  async #sync(name: string): Promise<void> {
    const policy = this.#unchecked(name);
    if (policy === undefined) return;
    const expressionWarnings = checkTypes(policy, this.#options.resources);
    const { generation } = policy.metadata;
    await this.#options.client.updateStatus(PolicyKind, {
      ...policy,
      status: {
        ...policy.status,
        ...(generation === undefined ? {} : { observedGeneration: generation }),
        typeChecking: expressionWarnings.length === 0 ? {} : { expressionWarnings },
      },
    });
  }
}
