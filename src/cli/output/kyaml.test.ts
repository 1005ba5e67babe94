import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml } from '#machinery/yaml.ts';
import { printKyaml } from './kyaml.ts';

test('KYAML quotes every text, holds objects in lists together and folds lines', () => {
  const object = {
    args: ['-c', '1'],
    containers: [{ name: 'a' }, { name: 'b', ports: [] }],
    data: { on: 'y', 'a.b/c': 'one\n  two\n\nthree', 'a b': '\t"\u0007' },
    empty: {},
    replicas: 2,
  };
  const printed = printKyaml(object);
  assert.equal(
    printed,
    `---
{
  args: [
    "-c",
    "1",
  ],
  containers: [{
    name: "a",
  }, {
    name: "b",
    ports: [],
  }],
  data: {
    "on": "y",
    a.b/c: "\\
       one\\n\\
      \\  two\\n\\
       \\n\\
       three\\
      ",
    "a b": "\t\\"\\a",
  },
  empty: {},
  replicas: 2,
}
`,
  );
  assert.deepEqual(parseYaml(printed), object);
});
