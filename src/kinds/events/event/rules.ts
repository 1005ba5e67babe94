import { validateEvent, validateEventUpdate } from '#kinds/core/event/validation.ts';
import type * as events from '#kinds/generated/types/events_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const newEventRules: KindRules<events.Event> = {
  validateUpdateOnly: true,
  validate: validateEvent,
  validateUpdate: validateEventUpdate,
  selectableFields: {
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
  allowCreateOnUpdate: true,
};
