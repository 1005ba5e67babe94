import { validateReplicaSetStatus } from '#kinds/apps/status.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { subdomainProblems } from '#machinery/names.ts';
import { dropDisabledTemplateFields } from '../pod/disabled.ts';
import { nameWarnings, templateWarnings } from '../pod/warnings/index.ts';
import { defaultTemplate } from '../pod-template/defaults.ts';
import { validateReplicationController } from './validation.ts';

export const replicationControllerRules: KindRules<core.ReplicationController> = {
  nameProblems: (name) => subdomainProblems(name, 'bytes'),
  validate: validateReplicationController,
  validateStatusUpdate: validateReplicaSetStatus,
  defaults(controller) {
    controller.spec.replicas ??= 1;
    const labels = controller.spec.template?.metadata?.labels;
    if (labels !== undefined) {
      controller.spec.selector ??= { ...labels };
      controller.metadata.labels ??= { ...labels };
    }
    if (controller.spec.template !== undefined) defaultTemplate(controller.spec.template);
  },
  prepareForCreate(controller, context) {
    dropDisabledTemplateFields(controller.spec.template, undefined, context);
    controller.status = { replicas: 0 };
  },
  prepareForUpdate: ({ spec }, old, context) => dropDisabledTemplateFields(spec.template, old.spec.template, context),
  // Of a change upstream tells what was odd about the template before.
  warnings(controller, old) {
    if (old === undefined)
      return [...nameWarnings(controller), ...templateWarnings(controller.spec.template, 'spec.template')];
    const isSame = controller.metadata.generation === old.metadata.generation;
    return isSame ? [] : templateWarnings(old.spec.template, 'spec.template');
  },
  selectableFields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  defaultPropagation: 'Orphan',
};
