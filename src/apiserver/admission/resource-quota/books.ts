import { randomUuid } from '#base/random.ts';
import type { Usage } from '#kinds/core/resource-quota/usage.ts';
import { ResourceQuota } from '#kinds/generated/handles.ts';
import type { ResourceQuota as QuotaObject } from '#kinds/generated/types/core_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { compareQuantities, formatQuantity, quantity, subtractQuantities } from '#machinery/quantity.ts';
import type { Operation } from '../../registry/operation.ts';
import type { Registry } from '../../registry/registry.ts';
import { updateObject } from '../../registry/update.ts';
import type { ResourceStorage, ServedResource } from '../../resources/resource.ts';
import { objectKey } from '../../resources/storage-keys.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { type Charge, type Claim, judge, type OpenQuota } from './judge.ts';
import { KindLedger, type Reservation } from './ledger.ts';

/** Races with other writers of a quota's status before a request is refused. */
const maxAttempts = 16;

interface Waiting {
  readonly claim: Claim;
  readonly ledger: KindLedger;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A request that the quotas have room for, until all its charges are written. */
interface Admitted extends Waiting {
  readonly charges: readonly Charge[];
}

/**
 * Charges requests to the quotas of their namespace. Requests that come while a charge is being written wait and are
 * charged together: one write for a burst. A charge is written by compare and swap, before its request goes on.
 */
export class QuotaBooks {
  readonly #registry: Registry;
  readonly #ledgers = new WeakMap<ResourceStorage, KindLedger>();
  #open: readonly KindLedger[] = [];
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(registry: Registry) {
    this.#registry = registry;
    registry.resources.of(ResourceQuota).storage!.cache.onEvent(({ type, value }) => {
      const { namespace = '', uid = '' } = value.object.metadata;
      if (type === 'DELETED') for (const ledger of this.#open) ledger.forget(namespace, uid);
    });
  }

  /** Resolves when the request's share is written. @throws ApiError 403 when there is no room for it. */
  charge(namespace: string, claim: Omit<Claim, 'taken'>): Promise<void> {
    const ledger = this.#ledgerOf(claim.attributes.request.resource);
    const whole: Claim = { ...claim, taken: (quota, name) => ledger.taken(quota, name) };
    return new Promise((resolve, reject) => {
      const waiting = { claim: whole, ledger, resolve, reject };
      const queue = this.#waiting.get(namespace);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      this.#waiting.set(namespace, [waiting]);
      void this.#work(namespace);
    });
  }

  /** Ledgers of custom kinds that are no more are let go when the next one is made. */
  #ledgerOf(resource: ServedResource): KindLedger {
    const storage = resource.storage!;
    let ledger = this.#ledgers.get(storage);
    if (ledger === undefined) {
      ledger = new KindLedger(resource, this.#registry.environment.clock);
      this.#ledgers.set(storage, ledger);
      this.#open = [...this.#open.filter(({ closed }) => !closed), ledger];
    }
    return ledger;
  }

  async #work(namespace: string): Promise<void> {
    for (let batch = this.#waiting.get(namespace)!; batch.length > 0; batch = this.#waiting.get(namespace)!) {
      this.#waiting.set(namespace, []);
      try {
        await this.#chargeAll(namespace, batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#waiting.delete(namespace);
  }

  async #chargeAll(namespace: string, batch: readonly Waiting[]): Promise<void> {
    const { cache } = this.#registry.resources.of(ResourceQuota).storage!;
    const quotas = [...cache.entries(namespace)].map(({ value }) => opened(value.object as QuotaObject));
    let admitted = batch.flatMap((waiting) => this.#judged(waiting, quotas));
    for (const open of quotas) {
      const concerned = admitted.filter(({ charges }) => charges.some((charge) => charge.open === open));
      if (concerned.length === 0) continue;
      const refused = await this.#write(open, concerned);
      admitted = admitted.filter((entry) => !refused.has(entry));
    }
    for (const { resolve } of admitted) resolve();
  }

  #judged(waiting: Waiting, quotas: readonly OpenQuota[]): Admitted[] {
    const isDryRun = waiting.claim.attributes.request.options.dryRun === true;
    try {
      if (isDryRun) judge(waiting.claim, quotas.map(copyOf));
      const charges = isDryRun ? [] : judge(waiting.claim, quotas);
      this.#reserve(waiting, charges);
      return [{ ...waiting, charges }];
    } catch (error) {
      waiting.reject(error);
      return [];
    }
  }

  /** Holds the room until the object is stored; gives it back when it is not. */
  #reserve({ claim: { attributes }, ledger }: Waiting, charges: readonly Charge[]): void {
    if (charges.length === 0) return;
    const objectUid = attributes.object?.metadata.uid ?? randomUuid(this.#registry.environment.random);
    const reservations = charges.map(
      ({ open, amounts }): Reservation => ({ objectUid, quotaUid: open.quota.metadata.uid ?? '', amounts }),
    );
    for (const reservation of reservations) ledger.reserve(reservation);
    onFailure(attributes, () => {
      for (const reservation of reservations) ledger.release(reservation);
      for (const { open, amounts } of charges) void this.#giveBack(open.quota, amounts, ledger);
    });
  }

  /** Writes what is used; when somebody else wrote first, judges once more. Returns whom there is no room for now. */
  async #write(open: OpenQuota, concerned: readonly Admitted[]): Promise<ReadonlySet<Admitted>> {
    const refused = new Set<Admitted>();
    const names = new Set(
      concerned.flatMap(({ charges }) =>
        charges.filter((charge) => charge.open === open).flatMap(({ amounts }) => [...amounts.keys()]),
      ),
    );
    let current = open;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#writeStatus(current, names);
        return refused;
      } catch (error) {
        if (isReason(error, 'NotFound')) return refused;
        if (!isReason(error, 'Conflict') || attempt === maxAttempts) throw error;
      }
      const fresh = this.#fresh(open.quota);
      if (fresh === undefined) return refused;
      current = fresh;
      for (const entry of concerned) if (!refused.has(entry) && !this.#stillFits(entry, current)) refused.add(entry);
      if (refused.size === concerned.length) return refused;
    }
  }

  /** The room is reserved already: what the server itself counts holds the request's share. */
  #stillFits({ claim, charges, reject }: Admitted, open: OpenQuota): boolean {
    const own = new Map(
      charges
        .filter((charge) => charge.open.quota.metadata.uid === open.quota.metadata.uid)
        .flatMap(({ amounts }) => [...amounts]),
    );
    const taken: Claim['taken'] = (quota, name) => {
      const amount = claim.taken(quota, name);
      const share = own.get(name);
      return amount === undefined || share === undefined
        ? amount
        : { nanos: amount.nanos - share.nanos, format: amount.format };
    };
    try {
      judge({ ...claim, taken }, [open]);
      return true;
    } catch (error) {
      reject(error);
      return false;
    }
  }

  #fresh({ metadata }: QuotaObject): OpenQuota | undefined {
    const { namespace, name = '' } = metadata;
    const entry = this.#registry.resources.of(ResourceQuota).storage!.cache.get(objectKey({ namespace, name }));
    const found = entry?.value.object as QuotaObject | undefined;
    return found?.metadata.uid === metadata.uid && found !== undefined ? opened(found) : undefined;
  }

  async #writeStatus({ quota, used }: OpenQuota, names: Iterable<string>): Promise<void> {
    const changed = Object.fromEntries([...names].map((name) => [name, formatQuantity(used.get(name)!)]));
    await this.#update(quota, (next) => {
      next.metadata.resourceVersion = quota.metadata.resourceVersion!;
      next.status = { ...next.status, used: { ...next.status?.used, ...changed } };
    });
  }

  /**
   * Takes the charge of a request that came to nothing off the status. What else stands there may be a charge of
   * another server whose object is on its way; but less than is really taken it never says.
   */
  async #giveBack(quota: QuotaObject, amounts: Usage, ledger: KindLedger): Promise<void> {
    const lower = (next: Mutable<QuotaObject>): void => {
      const used = { ...next.status?.used };
      for (const [name, amount] of amounts) {
        if (used[name] === undefined) continue;
        const before = quantity(used[name]);
        const without = subtractQuantities(before, amount);
        const taken = ledger.taken(quota, name) ?? quantity('0');
        const left = compareQuantities(taken, without) > 0 ? taken : without;
        if (compareQuantities(left, before) < 0) used[name] = formatQuantity(left);
      }
      delete next.metadata.resourceVersion;
      next.status = { ...next.status, used };
    };
    try {
      await this.#update(quota, lower);
    } catch (error) {
      // The controller counts again in a while.
      this.#registry.environment.log.debug('a charge was not given back', { error: String(error) });
    }
  }

  async #update({ metadata }: QuotaObject, change: (next: Mutable<QuotaObject>) => void): Promise<void> {
    const { namespace = '', name = '' } = metadata;
    const operation: Operation = {
      verb: 'update',
      resource: this.#registry.resources.of(ResourceQuota),
      subresource: 'status',
      namespace,
      name,
      user: { name: 'system:apiserver', groups: ['system:masters'] },
      options: {},
      body: undefined,
      signal: new AbortController().signal,
      warn: () => {},
    };
    const transform = (current: ApiObject): Mutable<ApiObject> => {
      const next = cloneJson(current) as unknown as Mutable<QuotaObject>;
      change(next);
      return next as unknown as Mutable<ApiObject>;
    };
    await updateObject(this.#registry, operation, transform, { admission: false, managesFields: true });
  }
}

function opened(quota: QuotaObject): OpenQuota {
  const used = Object.entries(quota.status?.used ?? {}).map(([name, text]) => [name, quantity(text)] as const);
  return { quota, used: new Map(used) };
}

function copyOf({ quota, used }: OpenQuota): OpenQuota {
  return { quota, used: new Map(used) };
}

function onFailure(attributes: AdmissionAttributes, takeBack: () => void): void {
  attributes.onFailure ??= [];
  attributes.onFailure.push(takeBack);
}
