import type { HorizontalPodAutoscaler as FirstVersion } from '#kinds/generated/types/autoscaling_v1.ts';
import type * as autoscaling from '#kinds/generated/types/autoscaling_v2.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { emptiedFields, withEmptied } from '#machinery/sent-empty.ts';
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

/** Policies that a client sent empty are none, which validation will tell. */
function withDefaults(defaults: Rules, said: Rules | undefined): Rules {
  if (said === undefined) return defaults;
  if (Object.keys(defaults).every((field) => Object.hasOwn(said, field))) return said;
  if (emptiedFields(said)['policies'] !== undefined) delete defaults.policies;
  return withEmptied({ ...defaults, ...said }, said);
}

export const horizontalPodAutoscalerRules: KindRules<autoscaling.HorizontalPodAutoscaler> = {
  defaults({ spec }) {
    spec.minReplicas ??= 1;
    if ((spec.metrics ?? []).length === 0) {
      const target = { type: 'Utilization', averageUtilization: defaultCpuUtilization };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    if (spec.behavior === undefined) return;
    const up = withDefaults(scaleUp(), spec.behavior.scaleUp);
    if (up !== spec.behavior.scaleUp) spec.behavior.scaleUp = up;
    const down = withDefaults(scaleDown(), spec.behavior.scaleDown);
    if (down !== spec.behavior.scaleDown) spec.behavior.scaleDown = down;
  },
  validateUpdateOnly: true,
  validate: (autoscaler, context) => validateAutoscaler(autoscaler, undefined, context),
  validateUpdate: (autoscaler, old, context) => validateAutoscaler(autoscaler, old, context),
  validateStatusUpdate: validateAutoscalerStatus,
  hasGeneration: false,
};

const currentMetrics = 'autoscaling.alpha.kubernetes.io/current-metrics';

/** The use of CPU is one of the metrics that the annotation tells of; whoever writes the one writes the other. */
function noteUse({ metadata, status }: Mutable<FirstVersion>): void {
  const use = status?.currentCPUUtilizationPercentage;
  if (use === undefined || metadata.annotations?.[currentMetrics] !== undefined) return;
  const resource = { name: 'cpu', currentAverageUtilization: use, currentAverageValue: '0' };
  metadata.annotations = {
    ...metadata.annotations,
    [currentMetrics]: JSON.stringify([{ type: 'Resource', resource }]),
  };
}

/** What tells of a status that is not the client's to write goes with it. */
function forgetUse({ metadata }: Mutable<FirstVersion>, old?: FirstVersion): void {
  const before = old?.metadata.annotations?.[currentMetrics];
  const { [currentMetrics]: said, ...others } = metadata.annotations ?? {};
  if (said === before) return;
  if (before !== undefined) metadata.annotations = { ...others, [currentMetrics]: before };
  else if (Object.keys(others).length > 0) metadata.annotations = others;
  else delete metadata.annotations;
}

export const firstHorizontalPodAutoscalerRules: KindRules<FirstVersion> = {
  defaults(autoscaler) {
    const { metadata, spec } = autoscaler;
    spec.minReplicas ??= 1;
    noteUse(autoscaler);
    // Without any metric it is the use of CPU that counts; others travel in an annotation.
    if (metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'] === undefined)
      spec.targetCPUUtilizationPercentage ??= defaultCpuUtilization;
  },
  prepareForCreate: (autoscaler) => forgetUse(autoscaler),
  prepareForUpdate: forgetUse,
  validateUpdateOnly: true,
  validate: (autoscaler, context) => validateAutoscaler(autoscalerFromFirst(autoscaler), undefined, context),
  validateUpdate: (autoscaler, old, context) =>
    validateAutoscaler(autoscalerFromFirst(autoscaler), autoscalerFromFirst(old), context),
  validateStatusUpdate: (autoscaler) => validateAutoscalerStatus(autoscalerFromFirst(autoscaler)),
  hasGeneration: false,
};
