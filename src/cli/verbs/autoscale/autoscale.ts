import { apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { integerFlag, textFlag, textFlagWith } from '../../flags.ts';
import { createGenerated, generateFlags } from '../../manifests/generate.ts';
import { loadTargets, visitTargets } from '../../manifests/targets.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

const { validate: _, ...commonFlags } = generateFlags;

export const autoscale = defineVerb({
  name: 'autoscale',
  summary: 'Auto-scale a deployment, replica set, stateful set, or replication controller',
  usage: '(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]',
  flags: {
    ...fileFlags,
    ...commonFlags,
    cpu: textFlagWith('', 'Target CPU utilization over all the pods: a percentage of the request, or a quantity.'),
    'cpu-percent': integerFlag(
      -1,
      'The target average CPU utilization (represented as a percent of requested CPU) over all the pods.',
      { hidden: true },
    ),
    'field-manager': textFlagWith('kubectl-autoscale', 'Name of the manager used to track field ownership.'),
    max: integerFlag(-1, 'The upper limit for the number of pods that can be set by the autoscaler. Required.'),
    memory: textFlagWith(
      '',
      'Target memory utilization over all the pods: a percentage of the request, or a quantity.',
    ),
    min: integerFlag(-1, 'The lower limit for the number of pods that can be set by the autoscaler.'),
    name: textFlag(
      'The name for the newly created object. If not specified, the name of the input resource will be used.',
    ),
  },
  async run(context, flags, args) {
    const { max, min, cpu, memory, name, 'cpu-percent': percent } = flags;
    if (!context.changed.has('max')) throw new CliError('required flag(s) "max" not set');
    if (context.changed.has('cpu-percent'))
      context.err(
        "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).\n",
      );
    if (max < 1) throw new CliError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
    if (max < min)
      throw new CliError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
    const metrics = [
      ...metricOf('cpu', cpu === '' && percent >= 0 ? `${percent}%` : cpu),
      ...metricOf('memory', memory),
    ];
    await visitTargets(await loadTargets(context, { args, files: flags }), async (target) => {
      if (!target.info.subresources.includes('scale'))
        throw new CliError(
          `cannot autoscale a ${target.info.kind}: could not find scale subresource for ${target.info.group}/${target.info.version}, Resource=${target.info.resource} in discovery information`,
        );
      const scaler: JsonObject = {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: name ?? target.name },
        spec: {
          maxReplicas: max,
          ...(metrics.length === 0 ? {} : { metrics }),
          ...(min < 0 ? {} : { minReplicas: min }),
          scaleTargetRef: { apiVersion: apiVersionOf(target.info), kind: target.info.kind, name: target.name },
        },
        status: { currentMetrics: null, desiredReplicas: 0 },
      };
      const fieldManager = flags['field-manager'];
      await createGenerated(context, scaler, { flags, fieldManager, operation: 'autoscaled', isPlain: true });
    });
    return 0;
  },
});

/** `50%` is of the request; anything else is a quantity. */
function metricOf(name: string, text: string): JsonObject[] {
  if (text === '') return [];
  const target = text.endsWith('%')
    ? { type: 'Utilization', averageUtilization: Number(text.slice(0, -1)) }
    : { type: 'AverageValue', averageValue: text };
  return [{ type: 'Resource', resource: { name, target } }];
}
