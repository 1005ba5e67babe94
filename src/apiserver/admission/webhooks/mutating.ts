import { cloneJson } from '#machinery/clone.ts';
import { DecodeError } from '#machinery/conform.ts';
import { equalValues } from '#machinery/equality.ts';
import { ApiError, internalError } from '#machinery/errors.ts';
import type { ApiObject, Json, JsonObject } from '#machinery/meta.ts';
import { applyJsonPatch } from '#machinery/patch/json-patch.ts';
import type { Registry } from '../../registry/registry.ts';
import { takeObject } from '../objects.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { type Reinvocation, reinvocationOf } from '../reinvocation.ts';
import { annotationPrefix, callWebhook, type Invocation, invocationOf, viewFor } from './call.ts';
import { type Hook, Hooks } from './hooks.ts';

const name = 'MutatingAdmissionWebhook';

/** What the first pass leaves for the second. */
interface Notes {
  /** Hooks that want to see the object again when it changes, asked so far. */
  readonly asked: Set<string>;
  /** Those of them after which somebody changed it. */
  readonly outdated: Set<string>;
  /** The object after the last hook; kept only when a hook may be asked again. */
  output: Json | undefined;
}

/** Webhooks that may change objects, one after the other: KEP-492, KEP-1872. */
export function mutatingWebhooks(): AdmissionPlugin {
  const hooksOf = new WeakMap<Registry, Hooks>();
  return {
    name,
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    start: (registry) => hooksOf.set(registry, new Hooks(registry, 'mutating')),
    mutate(attributes, registry) {
      const hooks = hooksOf.get(registry)!.concerned(attributes);
      return hooks.length === 0 ? undefined : callAll(registry, attributes, hooks);
    },
  };
}

async function callAll(registry: Registry, attributes: AdmissionAttributes, hooks: readonly Hook[]): Promise<void> {
  const reinvocation = reinvocationOf(attributes);
  const notes = notesOf(reinvocation);
  // The plugins in between changed the object: everybody who asked for it looks again.
  if (reinvocation.again && notes.asked.size > 0 && !equalValues(notes.output, attributes.object)) outdate(notes);
  for (const [index, hook] of hooks.entries()) {
    if (reinvocation.again && !notes.outdated.has(hook.id)) continue;
    const invocation = await invocationOf(registry, attributes, { hook, type: 'mutating' });
    if (invocation === undefined) continue;
    const changed = await callOne(registry, attributes, invocation, { round: reinvocation.again ? 1 : 0, index });
    if (changed) {
      outdate(notes);
      reinvocation.wanted = true;
    }
    if (hook.webhook.reinvocationPolicy === 'IfNeeded') notes.asked.add(hook.id);
  }
  if (!reinvocation.again && notes.asked.size + notes.outdated.size > 0)
    notes.output = attributes.object === undefined ? undefined : cloneJson(attributes.object as unknown as Json);
}

function notesOf({ notes }: Reinvocation): Notes {
  let own = notes.get(name) as Notes | undefined;
  if (own === undefined) {
    own = { asked: new Set(), outdated: new Set(), output: undefined };
    notes.set(name, own);
  }
  return own;
}

function outdate({ asked, outdated }: Notes): void {
  for (const id of asked) outdated.add(id);
  asked.clear();
}

/** Answers whether the webhook changed the object. */
async function callOne(
  registry: Registry,
  attributes: AdmissionAttributes,
  invocation: Invocation,
  place: { readonly round: number; readonly index: number },
): Promise<boolean> {
  const { webhook, configuration } = invocation.hook;
  const pendingView = viewFor(attributes, invocation);
  const view = pendingView instanceof Promise ? await pendingView : pendingView;
  const answer = await callWebhook(registry, { ...invocation, type: 'mutating', attributes, view });
  if (answer === undefined) return false;
  let changed = false;
  if (answer.patch !== undefined) {
    if (view.object === undefined) {
      throw internalError(
        `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
      );
    }
    const next = patched(view.object, answer.patch);
    changed = await taken(attributes, invocation, next);
  }
  const { annotate } = attributes.request;
  if (annotate !== undefined) {
    const key = `${annotationPrefix('mutating')}round_${place.round}_index_${place.index}`;
    annotate(key, JSON.stringify({ configuration, webhook: webhook.name, mutated: changed }));
  }
  return changed;
}

function patched(object: ApiObject, patch: Json): ApiObject {
  try {
    return cloneJson(applyJsonPatch(object as unknown as JsonObject, patch)) as unknown as ApiObject;
  } catch (error) {
    throw error instanceof ApiError ? internalError(error.message) : error;
  }
}

async function taken(attributes: AdmissionAttributes, { resource }: Invocation, next: ApiObject): Promise<boolean> {
  try {
    return await takeObject(attributes, resource, next);
  } catch (error) {
    throw error instanceof DecodeError ? internalError(error.message) : error;
  }
}
