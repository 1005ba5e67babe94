import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cases, outcomeOf, unsupported } from '#testing/cel/conformance.ts';

describe('the conformance tests of the CEL specification', () => {
  for (const [suite, own] of Map.groupBy(cases(), ({ suite }) => suite)) {
    it(`${suite}: all that can pass here do`, () => {
      const failures = own
        .filter((test) => unsupported(test) === undefined)
        .map((test) => ({ name: test.name, outcome: outcomeOf(test) }))
        .filter(({ outcome }) => outcome !== 'passed')
        .map(({ name, outcome }) => `${name}: ${outcome}`);
      assert.deepEqual(failures, []);
    });
  }
});
