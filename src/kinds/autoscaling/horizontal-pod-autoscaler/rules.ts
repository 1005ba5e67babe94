import type { HorizontalPodAutoscaler as FirstVersion } from '#kinds/generated/types/autoscaling_v1.ts';
import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { autoscalerFromFirst } from './conversion.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './validation.ts';

const defaultCpuUtilization = 80;

type Rules = Mutable<autoscaling.HPAScalingRules>;

/** Up at once: by four pods or by doubling, in each quarter of a minute. */
const scaleUp = (): Rules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
});

/** Down as far as needed, after the controller's own wait. */
const scaleDown = (): Rules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
});

export const horizontalPodAutoscalerRules: KindRules<autoscaling.HorizontalPodAutoscaler> = {
  defaults({ spec }) {
    spec.minReplicas ??= 1;
    if ((spec.metrics ?? []).length === 0) {
      const target = { type: 'Utilization', averageUtilization: defaultCpuUtilization };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    if (spec.behavior === undefined) return;
    spec.behavior.scaleUp = { ...scaleUp(), ...spec.behavior.scaleUp };
    spec.behavior.scaleDown = { ...scaleDown(), ...spec.behavior.scaleDown };
  },
  validateUpdateOnly: true,
  validate: (autoscaler, context) => validateAutoscaler(autoscaler, undefined, context),
  validateUpdate: (autoscaler, old, context) => validateAutoscaler(autoscaler, old, context),
  validateStatusUpdate: validateAutoscalerStatus,
  hasGeneration: false,
};

export const firstHorizontalPodAutoscalerRules: KindRules<FirstVersion> = {
  defaults({ metadata, spec }) {
    spec.minReplicas ??= 1;
    // Without any metric it is the use of CPU that counts; others travel in an annotation.
    if (metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'] === undefined)
      spec.targetCPUUtilizationPercentage ??= defaultCpuUtilization;
  },
  validateUpdateOnly: true,
  validate: (autoscaler, context) => validateAutoscaler(autoscalerFromFirst(autoscaler), undefined, context),
  validateUpdate: (autoscaler, old, context) =>
    validateAutoscaler(autoscalerFromFirst(autoscaler), autoscalerFromFirst(old), context),
  validateStatusUpdate: (autoscaler) => validateAutoscalerStatus(autoscalerFromFirst(autoscaler)),
  hasGeneration: false,
};
