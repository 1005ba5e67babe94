import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatImageReference, parseImageReference } from './reference.ts';

const full = (text: string): string | undefined => {
  const reference = parseImageReference(text);
  return reference === undefined ? undefined : formatImageReference(reference);
};

test('short names get the registry, library and tag of the Docker world', () => {
  assert.equal(full('nginx'), 'docker.io/library/nginx:latest');
  assert.equal(full('grafana/grafana:11'), 'docker.io/grafana/grafana:11');
  assert.equal(full('localhost/app'), 'localhost/app:latest');
  assert.equal(full('registry:5000/app'), 'registry:5000/app:latest');
});

test('a digest stands for the tag, and both may be given', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.equal(full(`r.io/a/b@${digest}`), `r.io/a/b@${digest}`);
  assert.equal(full(`r.io/a/b:1@${digest}`), `r.io/a/b:1@${digest}`);
});

test('what is no reference is refused', () => {
  for (const text of ['', 'UPPER', 'a b', 'r.io/', 'a:b:c', 'x@sha256:12', 'FAKE.IO/Name', '!nginx'])
    assert.equal(full(text), undefined, text);
});
