import { readFileSync } from 'node:fs';
import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { resourceRows } from '#kinds/resources.ts';
import type { Store } from '#storage/store.ts';
import { storageKeyPrefix } from '../resources/storage-keys.ts';
import { type EncryptionRules, readEncryptionConfiguration } from './configuration.ts';
import { EncryptedStore, type ProvidersOf } from './encrypted-store.ts';
import { KmsEnvelope } from './kms/envelope.ts';
import { KmsPlugin } from './kms/plugin.ts';
import { Providers } from './providers.ts';

export interface EncryptionOptions {
  /** Path of an EncryptionConfiguration (`--encryption-provider-config`). */
  readonly configFile: string;
  /** Whether changes of the file take effect without a restart; true unless set. */
  readonly reloads?: boolean;
}

const reloadIntervalMs = 10_000;
/** A KMS plugin whose keys nobody needs any more is let go after requests that began with it have ended. */
const retireAfterMs = 60_000;
const root = '/registry/';

/** The store under encryption, in step with its configuration. */
export class Encryption {
  readonly store: EncryptedStore;
  readonly #options: EncryptionOptions;
  readonly #environment: Environment;
  #text: string;
  #rules: EncryptionRules;
  #timer: Timer | undefined;
  /** Reloads by outcome, for the metrics. */
  readonly reloads = { success: 0, failure: 0 };

  private constructor(
    inner: Store,
    environment: Environment,
    options: EncryptionOptions,
    first: { readonly text: string; readonly rules: EncryptionRules },
  ) {
    this.#options = options;
    this.#environment = environment;
    this.#text = first.text;
    this.#rules = first.rules;
    this.store = new EncryptedStore(inner, providersOf(first.rules));
  }

  /** @throws Error for a configuration that cannot be read or is wrong. */
  static async open(inner: Store, environment: Environment, options: EncryptionOptions): Promise<Encryption> {
    const text = readFileSync(options.configFile, 'utf8');
    const rules = await readRules(text, environment).catch((error: Error) => {
      throw new Error(`cannot use ${options.configFile}: ${error.message}`, { cause: error });
    });
    const encryption = new Encryption(inner, environment, options, { text, rules });
    if (options.reloads !== false) encryption.#follow();
    return encryption;
  }

  /** What is wrong with its KMS plugins, for the health page; undefined when all is well. */
  get problem(): string | undefined {
    return this.#rules.envelopes.find((envelope) => envelope.problem !== undefined)?.problem;
  }

  #follow(): void {
    this.#timer = this.#environment.clock.schedule(reloadIntervalMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { log, clock } = this.#environment;
    try {
      const text = readFileSync(this.#options.configFile, 'utf8');
      if (text !== this.#text) {
        const rules = await readRules(text, this.#environment);
        const before = this.#rules;
        this.#text = text;
        this.#rules = rules;
        this.store.use(providersOf(rules));
        this.reloads.success++;
        log.info('encryption configuration reloaded');
        clock.schedule(retireAfterMs, () => closeAll(before));
      }
    } catch (error) {
      this.reloads.failure++;
      log.error('the encryption configuration stays as it was', { error: String(error) });
    }
    if (this.#timer !== undefined) this.#follow();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    closeAll(this.#rules);
  }
}

async function readRules(text: string, environment: Environment): Promise<EncryptionRules> {
  const rules = readEncryptionConfiguration(text, {
    random: environment.random,
    openKms: ({ endpoint, timeoutMs }) =>
      new KmsEnvelope(new KmsPlugin(environment.clock, { endpoint, timeoutMs }), environment),
  });
  await Promise.all(rules.envelopes.map((envelope) => envelope.start()));
  return rules;
}

function closeAll({ envelopes }: EncryptionRules): void {
  for (const envelope of envelopes) envelope.close();
}

/** Looks a key's providers up by its first parts; what was found for one resource is found again at once. */
function providersOf({ rules }: EncryptionRules): ProvidersOf {
  const entries = rules.map(({ resources, providers }) => ({ resources, providers: new Providers(providers) }));
  const found = new Map<string, Providers | undefined>();
  return (key) => {
    const place = placeOf(key);
    if (found.has(place)) return found.get(place);
    const { group, resource } = resourceAt(place);
    const entry = entries.find(({ resources }) => resources.some((name) => selects(name, group, resource)));
    found.set(place, entry?.providers);
    return entry?.providers;
  };
}

/** `secrets`, or `GROUP/PLURAL` where a group or a shared folder comes first. */
function placeOf(key: string): string {
  const first = key.indexOf('/', root.length);
  const end = first < 0 ? key.length : first;
  const head = key.slice(root.length, end);
  if (head !== 'services' && !head.includes('.')) return head;
  const second = key.indexOf('/', end + 1);
  return key.slice(root.length, second < 0 ? key.length : second);
}

const builtin: ReadonlyMap<string, { readonly group: string; readonly resource: string }> = new Map(
  [...resourceRows]
    .reverse()
    .map(({ group, resource }) => [storageKeyPrefix(group, resource).slice(root.length, -1), { group, resource }]),
);

function resourceAt(place: string): { readonly group: string; readonly resource: string } {
  const known = builtin.get(place);
  if (known !== undefined) return known;
  const [group = '', resource = ''] = place.split('/');
  return { group, resource };
}

function selects(name: string, group: string, resource: string): boolean {
  if (name === '*.*') return true;
  if (name.startsWith('*.')) return name.slice(2) === group;
  return name === `${resource}.${group}` || (group === '' && name === resource);
}
