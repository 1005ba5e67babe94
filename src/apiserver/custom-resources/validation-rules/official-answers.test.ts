import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { structuralNode } from '../structural/node.ts';
import { checkRules } from './check.ts';
import answers from './official-answers.json' with { type: 'json' };

test('rules are refused for the reasons and at the costs for which the official server of v1.36 refuses them', () => {
  const path = 'spec.validation.openAPIV3Schema';
  for (const [rule, expected] of answers.rules as [string, string[]][]) {
    const props = { ...answers.schema, 'x-kubernetes-validations': [{ rule }] } as unknown as JSONSchemaProps;
    const errors = checkRules(structuralNode(props), path, () => true);
    assert.deepEqual(
      errors.map((error) => `${error.path}: ${error.message}`),
      expected,
    );
  }
});
