import { PriorityClass } from '#kinds/generated/handles.ts';
import type { PriorityClass as PriorityClassObject } from '#kinds/generated/types/scheduling_v1.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, lookUpAll, refusal } from '../plugin.ts';

/** There is one default among the classes at a time. @throws ApiError 403 */
export function checkOnlyDefault(attributes: AdmissionAttributes, registry: Registry): void {
  const object = attributes.object as PriorityClassObject;
  if (object.globalDefault !== true) return;
  for (const { globalDefault, metadata } of lookUpAll(registry, PriorityClass)) {
    if (globalDefault !== true || metadata.name === object.metadata.name) continue;
    throw refusal(
      attributes,
      `PriorityClass ${metadata.name} is already marked as default. Only one default can exist`,
    );
  }
}
