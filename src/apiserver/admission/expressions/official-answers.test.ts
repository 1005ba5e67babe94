import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CelEnvironment, compile, dynType, fromJson, type Program } from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import { composeVariables } from '../policies/variables.ts';
import { compileExpression } from './compile.ts';
import answers from './official-answers.json' with { type: 'json' };

// What the official API server of v1.36 answered to these expressions in policies, on a ConfigMap like this one.
const object = fromJson({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cm', namespace: 'default' },
  data: { a: 'b', regex: '(' },
});
const environment = environmentWith({ variables: { object: dynType } });

function programOf(source: string): Program {
  const { program, issues } = compile(source, environment);
  if (program === undefined) throw new Error(`${source}: ${JSON.stringify(issues)}`);
  return program;
}

test('expressions have the values that they have in the official server', () => {
  for (const [source, expected] of answers.values as [string, string][]) {
    const evaluation = programOf(`string(dyn(${source}))`).evaluate({ object });
    assert.equal('error' in evaluation ? `error: ${evaluation.error}` : evaluation.value, expected, source);
  }
});

test('expressions fail in the words in which they fail in the official server', () => {
  for (const [source, expected] of answers.errors as [string, string][]) {
    const evaluation = programOf(source).evaluate({ object }, { costLimit: 1_000_000 });
    assert.equal('error' in evaluation ? evaluation.error : 'no error', expected, source);
  }
});

test('what is wrong with an expression is told as the official server tells it', () => {
  const variables = [
    { name: 'bad', expression: 'object.nope.nope' },
    { name: 'ok', expression: '1' },
  ];
  const use = { hasParams: false, hasAuthorizer: true };
  const withVariables: CelEnvironment = composeVariables(variables, use).environment(use);
  for (const [source, expected] of answers.issues as [string, string][]) {
    // One difference is left: messages of protobuf can be constructed there.
    if (source.startsWith('google.protobuf')) continue;
    assert.equal(compileExpression(source, withVariables, [programOf('true').type]).error, expected, source);
  }
});
