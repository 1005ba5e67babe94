import type { Event as CoreEvent, ObjectReference } from '#kinds/generated/types/core_v1.ts';
import type { Event } from '#kinds/generated/types/events_v1.ts';
import { immutable, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, labelKeyProblems, subdomainProblems } from '#machinery/names.ts';

const maxInstanceBytes = 128;
const maxActionBytes = 128;
const maxReasonBytes = 128;
const maxNoteBytes = 1024;

/** What both versions of an event have, under one set of names. */
interface Common {
  readonly namespace: string;
  readonly involved: ObjectReference | undefined;
  readonly eventTime: string | undefined;
  readonly controller: string;
  /** How this version calls it. */
  readonly controllerField: string;
  readonly instance: string;
  readonly action: string;
  readonly reason: string;
  readonly message: string;
}

function validateCommon(event: Common): FieldError[] {
  const { namespace, involved, eventTime } = event;
  const own = involved?.namespace ?? '';
  const errors: FieldError[] = [];
  const mismatch = fieldError.invalid('involvedObject.namespace', own, 'does not match event.namespace');
  if (eventTime === undefined) {
    // Events on things without a namespace are kept in the default one.
    if (own === '' ? namespace !== '' && namespace !== 'default' : namespace !== own) errors.push(mismatch);
  } else {
    if (own === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch);
    errors.push(...validateNew(event));
  }
  return [...errors, ...invalidAll('namespace', namespace, subdomainProblems(namespace))];
}

/** Events that carry a time of their own are of the newer kind, whatever version they come in. */
function validateNew({ controller, controllerField, instance, action, reason, message }: Common): FieldError[] {
  const errors = controller === '' ? [fieldError.required(controllerField)] : [];
  const limited = (field: string, text: string, max: number): FieldError[] =>
    byteLength(text) > max ? [fieldError.invalid(field, '', `can have at most ${max} characters`)] : [];
  const required = (field: string, text: string): FieldError[] => (text === '' ? [fieldError.required(field)] : []);
  return [
    ...errors,
    ...invalidAll(controllerField, controller, labelKeyProblems(controller)),
    ...required('reportingInstance', instance),
    ...limited('reportingInstance', instance, maxInstanceBytes),
    ...required('action', action),
    ...limited('action', action, maxActionBytes),
    ...required('reason', reason),
    ...limited('reason', reason, maxReasonBytes),
    ...limited('message', message, maxNoteBytes),
  ];
}

export function validateCoreEvent(event: CoreEvent): FieldError[] {
  return validateCommon({
    namespace: event.metadata.namespace ?? '',
    involved: event.involvedObject,
    eventTime: event.eventTime ?? undefined,
    controller: event.reportingComponent ?? '',
    controllerField: 'reportingComponent',
    instance: event.reportingInstance ?? '',
    action: event.action ?? '',
    reason: event.reason ?? '',
    message: event.message ?? '',
  });
}

function commonOf(event: Event): Common {
  return {
    namespace: event.metadata.namespace ?? '',
    involved: event.regarding,
    eventTime: event.eventTime ?? undefined,
    controller: event.reportingController ?? '',
    controllerField: 'reportingController',
    instance: event.reportingInstance ?? '',
    action: event.action ?? '',
    reason: event.reason ?? '',
    message: event.note ?? '',
  };
}

/** events.k8s.io/v1 is strict: nothing of the older kind may be set. */
export function validateEvent(event: Event): FieldError[] {
  const errors = [...validateCommon(commonOf(event)), ...validateSeries(event)];
  const unset = (field: string): void => {
    errors.push(fieldError.invalid(field, '', 'needs to be unset'));
  };
  if ((event.eventTime ?? undefined) === undefined) errors.push(fieldError.required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(fieldError.invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  if ((event.deprecatedFirstTimestamp ?? undefined) !== undefined) unset('firstTimestamp');
  if ((event.deprecatedLastTimestamp ?? undefined) !== undefined) unset('lastTimestamp');
  if ((event.deprecatedCount ?? 0) !== 0) unset('count');
  const { component = '', host = '' } = event.deprecatedSource ?? {};
  if (component !== '' || host !== '') unset('source');
  return errors;
}

function validateSeries({ series }: Event): FieldError[] {
  if (series === undefined) return [];
  const errors = (series.count ?? 0) < 2 ? [fieldError.invalid('series.count', '', 'should be at least 2')] : [];
  if ((series.lastObservedTime ?? '') === '') errors.push(fieldError.required('series.lastObservedTime'));
  return errors;
}

/** Fields that stay, with the names that errors give them. */
const fixedFields = [
  ['regarding', 'involvedObject'],
  ['reason', 'reason'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingController', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
] as const;

/** Only the series grows. */
export function validateEventUpdate(event: Event, old: Event): FieldError[] {
  const series = immutable(event.series, old.series, '').length === 0 ? [] : validateSeries(event);
  return [
    ...validateCommon(commonOf(event)),
    ...series,
    ...fixedFields.flatMap(([field, name]) => immutable(event[field], old[field], name)),
  ];
}
