import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinkedList, type ListNode } from './linked-list.ts';

/** What a test does with a list. */
type Step = { readonly do: 'add' } | { readonly do: 'remove' | 'moveToEnd'; readonly which: number };

const steps = fc.array(
  fc.oneof(
    fc.constant<Step>({ do: 'add' }),
    fc.record({ do: fc.constantFrom('remove', 'moveToEnd'), which: fc.nat(20) }) as fc.Arbitrary<Step>,
  ),
);

test('a list holds what was added and not taken out, in the order of arrival', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const list = new LinkedList<number>();
      const nodes: ListNode<number>[] = [];
      let expected: number[] = [];
      for (const step of all) {
        if (step.do === 'add') {
          expected.push(nodes.length);
          nodes.push(list.add(nodes.length));
          continue;
        }
        const node = nodes[step.which];
        if (node === undefined) continue;
        const isHere = expected.includes(node.value);
        const others = expected.filter((value) => value !== node.value);
        if (step.do === 'remove') assert.equal(list.remove(node), isHere);
        else list.moveToEnd(node);
        expected = step.do === 'moveToEnd' && isHere ? [...others, node.value] : others;
      }
      assert.deepEqual(valuesOf(list), expected);
    }),
    { seed: 20261122 },
  );
});

test('what has left refers to nothing that is left', () => {
  const list = new LinkedList<string>();
  const [, middle] = ['first', 'middle', 'last'].map((value) => list.add(value));
  list.remove(middle!);
  assert.deepEqual(middle, { value: 'middle', list: undefined, before: undefined, after: undefined });
});

function valuesOf<Value>(list: LinkedList<Value>): Value[] {
  const values: Value[] = [];
  for (let node = list.first; node !== undefined; node = node.after) values.push(node.value);
  return values;
}
