import assert from 'node:assert/strict';
import { test } from 'node:test';
import answers from './official-answers.json' with { type: 'json' };
import { selectorProblem } from './selectors.ts';

test('selectors are refused for the reasons for which the official server of v1.36 refuses them', () => {
  for (const [source, expected] of answers.selectors as [string, string][]) {
    const problem = selectorProblem(source, 'spec.selectors[0].cel.expression');
    assert.equal(problem === undefined ? '' : `${problem.path}: ${problem.message}`, expected, source);
  }
});
