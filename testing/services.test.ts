import { join } from 'node:path';
import { test } from 'node:test';
import { isRoot } from './machine.ts';
import { runInNamespace } from './network/inside.ts';

if (isRoot) {
  test('services route real traffic', () => runInNamespace(join(import.meta.dirname, 'network/services.scenario.ts')));
}
