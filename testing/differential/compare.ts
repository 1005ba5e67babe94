import type { JsonObject } from '#machinery/meta.ts';
import { type Base, type Case, collectionPath, isStored, objectPath, requestOf } from './cases.ts';
import type { Answer, Asker } from './exchange.ts';
import { differences, type NormalAnswer, normalForm } from './normal-form.ts';

/** A server with an object of every base in it. */
export class Subject {
  readonly #asker: Asker;
  readonly #bases: readonly Base[];
  readonly #stored = new Map<number, JsonObject>();

  constructor(asker: Asker, bases: readonly Base[]) {
    this.#asker = asker;
    this.#bases = bases;
  }

  /** What pods need to be admitted, since no controller makes it. */
  async prepare(): Promise<void> {
    await this.#create('/api/v1/namespaces/default/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
  }

  /** Stores the bases; of several of one kind, the first. */
  async store(): Promise<void> {
    for (const base of this.#bases) {
      if (!isStored(base)) continue;
      await this.#create(collectionPath(base), base.object);
      const answer = await this.#asker.ask({ method: 'GET', path: objectPath(base) });
      this.#stored.set(base.index, JSON.parse(answer.body) as JsonObject);
    }
  }

  async #create(path: string, object: JsonObject): Promise<void> {
    const answer = await this.#asker.ask({ method: 'POST', path, body: JSON.stringify(object) });
    if (answer.status !== 201 && answer.status !== 409) throw new Error(`a base is not good: ${path}: ${answer.status} ${answer.body}`);
  }

  async answer(asked: Case): Promise<NormalAnswer> {
    const base = this.#bases[asked.base]!;
    const answer: Answer = await this.#asker.ask(requestOf(asked, base, this.#stored.get(asked.base) ?? base.object));
    return normalForm(answer);
  }
}

/** Fewer mutations and parameters with which the two still differ. */
export async function shrunk(
  asked: Case,
  differ: (smaller: Case) => Promise<readonly string[]>,
): Promise<{ readonly asked: Case; readonly found: readonly string[] }> {
  let best = { asked, found: await differ(asked) };
  for (const smaller of smallerCases(asked)) {
    const found = await differ(smaller);
    if (found.length > 0) best = { asked: smaller, found };
  }
  return best;
}

function smallerCases(asked: Case): readonly Case[] {
  const { mutations, query } = asked;
  const fewer = mutations.length > 1 ? mutations.map((one) => ({ ...asked, mutations: [one] })) : [];
  const plain = Object.keys(query).filter((name) => name !== 'dryRun' && name !== 'fieldManager');
  return [
    ...fewer,
    ...plain.map((name) => {
      const { [name]: _, ...rest } = query;
      return { ...asked, query: rest };
    }),
  ];
}

export async function differ(official: Subject, ours: Subject, asked: Case): Promise<readonly string[]> {
  const [left, right] = await Promise.all([official.answer(asked), ours.answer(asked)]);
  return differences(left, right);
}
