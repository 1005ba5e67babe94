import { setTimeout as pause } from 'node:timers/promises';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { Asker, Request } from '../exchange.ts';
import { type NormalAnswer, normalForm, timeless } from '../normal-form.ts';

/** One request of a sequence, each of which meets what the ones before it left. */
export interface Step {
  /** What it is about, for whoever reads a difference. */
  readonly what: string;
  readonly method: 'POST' | 'PUT' | 'GET' | 'DELETE' | 'PATCH' | 'merge' | 'json' | 'strategic' | 'apply';
  readonly path: string;
  /** Text is sent as it is. */
  readonly body?: Json;
  /** Instead of JSON, and of the type that the method stands for. */
  readonly accept?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** What later steps call `<NAME>`: by each name, a path of members in the answer. */
  readonly keeps?: Readonly<Record<string, string>>;
  /** The answer is each server's own affair; the next step waits until this path is served. */
  readonly until?: string;
}

const patchTypes: Readonly<Record<string, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const settleLimitMs = 20_000;
/**
 * What a server answers to the steps, in order; nothing for those that are its own affair.
 * Watches that follow each other are asked at once: each lasts until its time is over.
 * @param settleMs for what it still does after a path is served, such as closing the door of an older version.
 */
export async function answersTo(
  steps: readonly Step[],
  asker: Asker,
  settleMs = 0,
): Promise<readonly (NormalAnswer | undefined)[]> {
  const answers: (NormalAnswer | undefined)[] = [];
  const kept = new Map<string, string>();
  for (let index = 0; index < steps.length; ) {
    const { length } = leadingWatches(steps, index);
    const together = steps.slice(index, index + Math.max(1, length));
    index += together.length;
    const found = await Promise.all(together.map((step) => asker.ask(requestOf(step, kept))));
    for (const [at, { until, keeps = {} }] of together.entries()) {
      const answer = found[at]!;
      for (const [name, path] of Object.entries(keeps)) kept.set(name, memberAt(answer.body, path));
      answers.push(until === undefined ? timeless(normalForm(answer)) : undefined);
      if (until !== undefined) await served(asker, until, settleMs);
    }
  }
  return answers;
}

function leadingWatches(steps: readonly Step[], from: number): readonly Step[] {
  const end = steps.findIndex(({ path }, index) => index >= from && !/[?&]watch=/.test(path));
  return steps.slice(from, end < 0 ? steps.length : end);
}

function requestOf({ method, path, body, accept, headers, ...step }: Step, kept: ReadonlyMap<string, string>): Request {
  const told = (text: string): string => text.replace(/<(\w+)>/g, (name, key) => kept.get(key) ?? name);
  const patchType = patchTypes[method];
  const contentType = step.contentType ?? patchType;
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return {
    method: patchType === undefined ? method : 'PATCH',
    path: told(path),
    ...(contentType === undefined ? {} : { contentType }),
    ...(accept === undefined ? {} : { accept }),
    ...(headers === undefined ? {} : { headers }),
    ...(text === undefined ? {} : { body: told(text) }),
  };
}

function memberAt(body: string, path: string): string {
  const members = path.split('.');
  const value = members.reduce((at: unknown, name) => (at as JsonObject | undefined)?.[name], JSON.parse(body));
  return String(value);
}

async function served(asker: Asker, path: string, settleMs: number): Promise<void> {
  const deadline = Date.now() + settleLimitMs;
  await pause(settleMs);
  while ((await asker.ask({ method: 'GET', path })).status !== 200) {
    if (Date.now() > deadline) throw new Error(`not served: ${path}`);
    await pause(100);
  }
}

/** A way to speak of one object: the path of its collection, its name and type. */
export interface Subject {
  readonly collection: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export function applied(
  what: string,
  subject: Subject,
  manager: string,
  content: JsonObject,
  { force = false, subresource = '' }: { readonly force?: boolean; readonly subresource?: string } = {},
): Step {
  const { collection, apiVersion, kind, name } = subject;
  const { metadata = {}, ...rest } = content as { readonly metadata?: JsonObject };
  const path = `${collection}/${name}${subresource === '' ? '' : `/${subresource}`}`;
  return {
    what,
    method: 'apply',
    path: `${path}?fieldManager=${manager}${force ? '&force=true' : ''}`,
    body: { apiVersion, kind, metadata: { name, ...metadata }, ...rest } as Json,
  };
}

export function patched(
  what: string,
  { collection, name }: Subject,
  method: 'merge' | 'json' | 'strategic',
  body: Json,
  query = '',
): Step {
  return { what, method, path: `${collection}/${name}${query}`, body };
}
