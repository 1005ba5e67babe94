import { validateResources } from '#kinds/core/pod/validation/resources.ts';
import { validateTolerations } from '#kinds/core/pod/validation/scheduling.ts';
import type { RuntimeClass, Scheduling } from '#kinds/generated/types/node_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import type { KindRules } from '#kinds/kind.ts';
import { each, immutable, invalidAll, validateLabels } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems } from '#machinery/names.ts';

export const runtimeClassRules: KindRules<RuntimeClass> = {
  finalizerRule: 'any',
  allowUnconditionalUpdate: false,
  validate: ({ handler = '', overhead, scheduling }) => [
    ...(handler === '' ? [fieldError.required('handler')] : invalidAll('handler', handler, label1123Problems(handler))),
    ...validateResources(
      overhead?.podFixed === undefined ? undefined : { limits: overhead.podFixed },
      new Set(),
      'overhead',
    ),
    ...validateScheduling(scheduling),
  ],
  validateUpdate: ({ handler }, { handler: old }) => immutable(handler, old, 'handler'),
};

function validateScheduling(scheduling: Scheduling | undefined): FieldError[] {
  const { nodeSelector, tolerations = [] } = scheduling ?? {};
  const seen = new Set<string>();
  return [
    ...validateLabels(nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(tolerations, 'scheduling.tolerations'),
    ...each(tolerations, 'scheduling.tolerations', (toleration, path) => {
      const { key = '', operator = '', value = '', effect = '' } = toleration;
      const identity = JSON.stringify([key, operator, value, effect]);
      const isKnown = seen.has(identity);
      seen.add(identity);
      return isKnown ? [fieldError.duplicate(path, goStruct('core.Toleration', toleration))] : [];
    }),
  ];
}
