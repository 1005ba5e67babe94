import type { Environment } from '#base/environment.ts';
import { KeyedQueue } from '#base/keyed-queue.ts';
import type { Client } from '#client/client.ts';
import { APIService as ApiServiceKind } from '#kinds/generated/handles.ts';
import type { APIService } from '#kinds/generated/types/apiregistration_v1.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { workThrough } from '../work.ts';
import { isBuiltinGroup, localPriority } from './priorities.ts';

/** Says that the server itself keeps an APIService: `onstart`, or `true` for those that come and go. */
const managedLabel = 'kube-aggregator.kubernetes.io/automanaged';

/** Registrations that share a transaction: a first start has sixty to make. */
const workers = 32;

/** Keeps an APIService for every group and version that this server serves itself. */
export class LocalRegistration {
  readonly #resources: ResourceTable;
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #queue: KeyedQueue;

  constructor(options: {
    readonly resources: ResourceTable;
    readonly client: Client;
    readonly environment: Environment;
  }) {
    this.#resources = options.resources;
    this.#client = options.client;
    this.#environment = options.environment;
    this.#queue = new KeyedQueue(options.environment.clock);
    for (const [group, versions] of this.#resources.groups)
      for (const version of versions.keys()) this.#enqueue(group, version);
    this.#resources.onChange(({ gone, come }) => {
      for (const { kind } of [...gone, ...come]) this.#enqueue(kind.group, kind.version);
    });
    this.#resources.of(ApiServiceKind).storage!.cache.onEvent(({ type, value }) => {
      const { group = '', version = '' } = (value.object as APIService).spec;
      if (type === 'DELETED') this.#enqueue(group, version);
    });
    // Those of kinds that went while nobody looked.
    for (const { value } of this.#resources.of(ApiServiceKind).storage!.cache.entries()) {
      const { metadata, spec } = value.object as APIService;
      if (metadata.labels?.[managedLabel] === 'true') this.#enqueue(spec.group ?? '', spec.version ?? '');
    }
  }

  /** The registry of APIServices does not register itself, in upstream's either. */
  #enqueue(group: string, version: string): void {
    if (group !== 'apiregistration.k8s.io') this.#queue.add(`${version}.${group}`);
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  #work(): Promise<void> {
    return workThrough(this.#queue, { log: this.#environment.log, what: 'apiService' }, (name) => this.#sync(name));
  }

  stop(): void {
    this.#queue.close();
  }

  async #sync(name: string): Promise<void> {
    const dot = name.indexOf('.');
    const [version, group] = [name.slice(0, dot), name.slice(dot + 1)];
    const known = this.#resources.of(ApiServiceKind).storage!.cache.get(name)?.value.object as APIService | undefined;
    const managed = known?.metadata.labels?.[managedLabel];
    if (this.#resources.hasGroupVersion(group, version)) {
      if (known === undefined) await this.#client.create(ApiServiceKind, localService(name, group, version));
      return;
    }
    if (managed === 'true') await this.#client.delete(ApiServiceKind, { name });
  }
}

function localService(name: string, group: string, version: string): APIService {
  const priority = localPriority(group, version);
  return {
    metadata: { name, labels: { [managedLabel]: isBuiltinGroup(group) ? 'onstart' : 'true' } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: priority.group,
      versionPriority: priority.version,
    },
  };
}
