import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';
import type { Registry } from './registry.ts';

export function trackChange(
  _registry: Registry,
  _operation: Operation,
  _change: { object: Mutable<ApiObject>; old: ApiObject | undefined; applied?: boolean },
): void {}
