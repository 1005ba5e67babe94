import { validateReplicaSetStatus } from '#kinds/apps/status.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { defaultTemplate } from '../pod-template/defaults.ts';
import { validateReplicationController } from '../validation.ts';

export const replicationControllerRules: KindRules<core.ReplicationController> = {
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
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  selectableFields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  defaultPropagation: 'Orphan',
};
