import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaNamed } from '#kinds/schemas.ts';
import { conform } from './conform.ts';
import { emptiedFields } from './sent-empty.ts';

test('what a client sent empty is absent, and known to have been sent', () => {
  const sent = { podSelector: { matchLabels: {} }, ingress: [], policyTypes: ['Ingress'] };
  const { value } = conform(sent, schemaNamed('networking.v1.NetworkPolicySpec'));
  assert.deepEqual(value, { podSelector: {}, policyTypes: ['Ingress'] });
  assert.deepEqual(emptiedFields(value as object), { ingress: [] });
});
