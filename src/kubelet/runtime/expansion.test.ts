import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand } from './expansion.ts';

const lookup = (name: string) => ({ HOST: 'db', EMPTY: '' })[name];

test('references to known variables are replaced and unknown ones stay', () => {
  assert.equal(expand('$(HOST):$(PORT)', lookup), 'db:$(PORT)');
  assert.equal(expand('[$(EMPTY)]', lookup), '[]');
});

test('a doubled dollar escapes, and a dollar without parenthesis stands for itself', () => {
  assert.equal(expand('$$(HOST) $HOST $', lookup), '$(HOST) $HOST $');
  assert.equal(expand('$$$(HOST)', lookup), '$db');
});

test('an unclosed reference is copied', () => {
  assert.equal(expand('$(HOST', lookup), '$(HOST');
});
