import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaNamed } from '#kinds/schemas.ts';
import { trackUpdate } from './apply/index.ts';
import { conform } from './conform.ts';
import type { ApiObject } from './meta.ts';
import { Emptied, emptiedFields } from './sent-empty.ts';

const policySchema = schemaNamed('networking.v1.NetworkPolicy');

/** A policy as it is decoded, and whether anything in it was empty. */
function decodedPolicy(spec: object): { readonly policy: ApiObject; readonly emptied: Emptied } {
  const emptied = new Emptied();
  const { value } = conform({ metadata: { name: 'web' }, spec }, policySchema, { emptied });
  return { policy: value as unknown as ApiObject, emptied };
}

test('what a client sent empty is absent, and known to have been sent', () => {
  const sent = { podSelector: { matchLabels: {} }, ingress: [], policyTypes: ['Ingress'] };
  const { value } = conform(sent, schemaNamed('networking.v1.NetworkPolicySpec'));
  assert.deepEqual(value, { podSelector: {}, policyTypes: ['Ingress'] });
  assert.deepEqual(emptiedFields(value as object), { ingress: [] });
});

test('a place that was sent empty is one until a default takes it', () => {
  const { policy, emptied } = decodedPolicy({ podSelector: {}, policyTypes: [] });
  assert.equal(emptied.isIn(policy, ['metadata', 'status']), true);
  Object.assign(policy['spec' as keyof ApiObject] as object, { policyTypes: ['Ingress'] });
  assert.equal(emptied.isIn(policy, ['metadata', 'status']), false);
});

test("an atomic list is its writer's again where something in it is sent empty, and not otherwise", () => {
  const written = (manager: string, rule: object, old?: ApiObject): ApiObject => {
    const { policy, emptied } = decodedPolicy({ podSelector: {}, ingress: [rule], policyTypes: ['Ingress'] });
    const metadata = { ...policy.metadata, managedFields: old?.metadata.managedFields ?? [] };
    const now = old === undefined ? 0 : 1000;
    const who = { manager, apiVersion: 'networking.k8s.io/v1', subresource: '', now, resetFields: [] };
    const entries = trackUpdate({ ...who, old, new: { ...policy, metadata }, schema: policySchema, emptied });
    return { ...policy, metadata: { ...metadata, managedFields: entries as never } };
  };
  const ownersOf = ({ metadata }: ApiObject): unknown => metadata.managedFields?.map(({ manager }) => manager);
  const first = written('first', {});
  assert.deepEqual(ownersOf(written('second', {}, first)), ['first']);
  assert.deepEqual(ownersOf(written('second', { ports: [] }, first)), ['first', 'second']);
});
