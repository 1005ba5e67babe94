import type { Json, JsonObject } from '#machinery/meta.ts';
import { type Base, type Case, collectionPath, isStored, objectPath, requestOf } from './cases.ts';
import type { Asking } from './enduring.ts';
import { type Explanation, explain } from './explain.ts';
import { differences, type NormalAnswer, normalForm } from './normal-form.ts';

/** How often a request is made that another write overtakes. */
const maxAttempts = 3;

/** A server with an object of every base in it. */
export class Subject {
  readonly #asker: Asking;
  readonly #bases: readonly Base[];
  readonly #stored = new Set<number>();

  constructor(asker: Asking, bases: readonly Base[]) {
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
      this.#stored.add(base.index);
    }
  }

  async #create(path: string, object: JsonObject): Promise<void> {
    const answer = await this.#asker.ask({ method: 'POST', path, body: JSON.stringify(object) });
    if (answer.status !== 201 && answer.status !== 409)
      throw new Error(`a base is not good: ${path}: ${answer.status} ${answer.body}`);
  }

  async answer(asked: Case): Promise<NormalAnswer> {
    const base = this.#bases[asked.base]!;
    for (let attempt = 1; ; attempt++) {
      const request = requestOf(asked, base, await this.#current(asked, base));
      const answer = await this.#asker.ask(request);
      // The server itself may have written in between.
      const isOvertaken = answer.status === 409 && answer.body.includes('the object has been modified');
      if (!isOvertaken || attempt === maxAttempts) return normalForm(answer, generateNameOf(request.body));
    }
  }

  /** Some kinds are written by the server itself: a request starts from what is there now. */
  async #current({ operation }: Case, base: Base): Promise<JsonObject> {
    const isRead = operation === 'create' || operation === 'list' || operation === 'table' || operation === 'delete';
    if (isRead || !this.#stored.has(base.index)) return base.object;
    const answer = await this.#asker.ask({ method: 'GET', path: objectPath(base) });
    return inOrder(JSON.parse(answer.body) as JsonObject) as JsonObject;
  }
}

/** With members in one order: which of several faults is told of may depend on it. */
function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => inOrder(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value as JsonObject).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, inOrder(member!)])) as JsonObject;
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

/** The prefix in a request that names nothing else. */
function generateNameOf(body: string | undefined): string {
  if (body?.includes('generateName') !== true) return '';
  const { metadata } = JSON.parse(body) as {
    readonly metadata?: { readonly name?: Json; readonly generateName?: Json };
  };
  return typeof metadata?.generateName === 'string' && (metadata.name ?? '') === '' ? metadata.generateName : '';
}

export interface Difference {
  /** Where the answers differ; empty when they do not, or for a known reason. */
  readonly found: readonly string[];
  readonly explanation?: Explanation | undefined;
}

export async function differ(official: Subject, ours: Subject, asked: Case): Promise<Difference> {
  const [left, right] = await Promise.all([official.answer(asked), ours.answer(asked)]);
  const found = differences(left, right);
  if (found.length === 0) return { found };
  const explanation = await explain(left, right, () => official.answer(asked));
  return explanation === undefined ? { found } : { found: [], explanation };
}
