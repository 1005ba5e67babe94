import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '#kinds/generated/types/core_v1.ts';
import { credentialsFor } from './credentials.ts';
import { parseImageReference } from './reference.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secret = (auths: object): Secret => ({
  metadata: { name: 'pull' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
});
const users = (image: string, ...secrets: Secret[]) =>
  credentialsFor(parseImageReference(image)!, secrets).map(({ username }) => username);

test('the login with the longest matching path comes first', () => {
  const all = secret({
    'registry.io': { username: 'any', password: 'x' },
    'https://registry.io/team': { auth: base64('team:y:z') },
    'other.io': { username: 'other', password: 'x' },
  });
  assert.deepEqual(users('registry.io/team/app', all), ['team', 'any']);
  assert.deepEqual(users('registry.io/app', all), ['any']);
  assert.deepEqual(users('registry.io:5000/app', all), []);
  assert.equal(credentialsFor(parseImageReference('registry.io/team/app')!, [all])[0]?.password, 'y:z');
});

test('hosts match label by label, and the names of the Docker hub are one', () => {
  assert.deepEqual(users('eu.registry.io/app', secret({ '*.registry.io': { username: 'star' } })), ['star']);
  assert.deepEqual(users('a.b.registry.io/app', secret({ '*.registry.io': { username: 'star' } })), []);
  assert.deepEqual(users('nginx', secret({ 'https://index.docker.io/v1/': { username: 'hub' } })), ['hub']);
});

test('a secret that cannot be read counts for nothing', () => {
  const broken: Secret = { ...secret({}), data: { '.dockerconfigjson': base64('{') } };
  assert.deepEqual(users('nginx', broken), []);
});
