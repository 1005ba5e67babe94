import { createHmac } from 'node:crypto';
import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import { randomUuid } from '#base/random.ts';
import { aesGcm } from '../ciphers.ts';
import type { Transformer } from '../transformer.ts';
import { decodeEncryptedObject, type EncryptedObject, encodeEncryptedObject } from './messages.ts';
import type { KmsEncryption, KmsPlugin } from './plugin.ts';

/** How often the plugin is asked how it is, while it is well and while it is not. */
const healthyIntervalMs = 60_000;
const unhealthyIntervalMs = 10_000;
/** Seeds that are kept open; each stands for one key of the plugin and one start of a server. */
const maxSources = 1000;
const seedLength = 32;
/** Random bytes that each value's own key is derived from. */
const infoLength = 32;
const seedType = 1;

interface CurrentSeed {
  readonly seed: Uint8Array;
  readonly sealed: KmsEncryption;
}

/**
 * Envelope encryption (KEP-3299): values are sealed with keys derived from a seed, and the seed is sealed by the plugin.
 * The plugin is asked once for each seed; when it has a new key, a new seed begins.
 */
export class KmsEnvelope implements Transformer {
  readonly #plugin: KmsPlugin;
  readonly #environment: Environment;
  readonly #sources = new LruCache<string, Promise<Uint8Array>>(maxSources);
  #current: CurrentSeed | undefined;
  #problem = 'the KMS plugin has not answered yet';
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(plugin: KmsPlugin, environment: Environment) {
    this.#plugin = plugin;
    this.#environment = environment;
  }

  /** Asks the plugin for the first time; a plugin that is not well is asked again. */
  async start(): Promise<void> {
    await this.#check();
  }

  /** Why values cannot be sealed now; undefined when they can. */
  get problem(): string | undefined {
    return this.#current === undefined ? this.#problem : undefined;
  }

  generation(): string {
    if (this.#current === undefined) throw new Error(this.#problem);
    return this.#current.sealed.keyId;
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    if (this.#current === undefined) throw new Error(this.#problem);
    const { seed, sealed } = this.#current;
    const { random } = this.#environment;
    const info = random.bytes(infoLength);
    const encryptedData = Buffer.concat([info, aesGcm(derivedKey(seed, info), random).seal(plain, context)]);
    return encodeEncryptedObject({
      encryptedData,
      keyId: sealed.keyId,
      encryptedSource: sealed.ciphertext,
      annotations: sealed.annotations,
      sourceType: seedType,
    });
  }

  async open(stored: Uint8Array, context: string): Promise<Uint8Array> {
    const object = decodeEncryptedObject(stored);
    const source = await this.#source(object);
    const { encryptedData, sourceType } = object;
    const { random } = this.#environment;
    if (sourceType !== seedType) return aesGcm(source, random).open(encryptedData, context);
    const key = derivedKey(source, encryptedData.subarray(0, infoLength));
    return aesGcm(key, random).open(encryptedData.subarray(infoLength), context);
  }

  #source({ encryptedSource, keyId, annotations }: EncryptedObject): Promise<Uint8Array> {
    const name = `${keyId} ${Buffer.from(encryptedSource).toString('base64')}`;
    let source = this.#sources.get(name);
    if (source === undefined) {
      const uid = randomUuid(this.#environment.random);
      source = this.#plugin.decrypt({ ciphertext: encryptedSource, keyId, annotations }, uid);
      this.#sources.set(name, source);
      source.catch(() => this.#sources.delete(name));
    }
    return source;
  }

  async #check(): Promise<void> {
    const { clock, log, random } = this.#environment;
    let intervalMs = healthyIntervalMs;
    try {
      const { healthz, keyId } = await this.#plugin.status();
      if (healthz !== 'ok') throw new Error(`got unexpected healthz status: ${healthz}`);
      if (this.#current?.sealed.keyId !== keyId) {
        const seed = random.bytes(seedLength);
        this.#current = { seed, sealed: await this.#plugin.encrypt(seed, randomUuid(random)) };
      }
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      log.warn('the KMS plugin is not well', { problem: this.#problem });
      intervalMs = unhealthyIntervalMs;
    }
    if (!this.#isClosed) this.#timer = clock.schedule(intervalMs, () => void this.#check());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#plugin.close();
  }
}

/** HKDF's expansion to one block, without the extraction that a random seed does not need. */
function derivedKey(seed: Uint8Array, info: Uint8Array): Uint8Array {
  return createHmac('sha256', seed).update(info).update(Uint8Array.of(1)).digest();
}
