import type { Registry } from '../../registry/registry.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { callWebhook, type Invocation, invocationOf, viewFor } from './call.ts';
import { type Hook, Hooks } from './hooks.ts';

/** Webhooks that may refuse requests, all asked at once. */
export function validatingWebhooks(): AdmissionPlugin {
  const hooksOf = new WeakMap<Registry, Hooks>();
  return {
    name: 'ValidatingAdmissionWebhook',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    start: (registry) => hooksOf.set(registry, new Hooks(registry, 'validating')),
    validate(attributes, registry) {
      const hooks = hooksOf.get(registry)!.concerned(attributes);
      return hooks.length === 0 ? undefined : callAll(registry, attributes, hooks);
    },
  };
}

async function callAll(registry: Registry, attributes: AdmissionAttributes, hooks: readonly Hook[]): Promise<void> {
  const invocations: Invocation[] = [];
  for (const hook of hooks) {
    const invocation = await invocationOf(registry, attributes, { hook, type: 'validating' });
    if (invocation !== undefined) invocations.push(invocation);
  }
  const calls = invocations.map(async (invocation) => {
    const view = await viewFor(attributes, invocation);
    await callWebhook(registry, { ...invocation, type: 'validating', attributes, view });
  });
  for (const outcome of await Promise.allSettled(calls)) if (outcome.status === 'rejected') throw outcome.reason;
}
