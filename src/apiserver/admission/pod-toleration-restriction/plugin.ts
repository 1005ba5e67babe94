import { qosClassOf } from '#kinds/core/pod/qos.ts';
import { Namespace } from '#kinds/generated/handles.ts';
import type { Pod, Toleration } from '#kinds/generated/types/core_v1.ts';
import { ApiError, notFound } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, lookUp, objectAs, type PluginEntry } from '../plugin.ts';
import { isCovered, mergeTolerations } from './tolerations.ts';

const defaultsAnnotation = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const allowedAnnotation = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
const memoryPressure: Toleration = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
};

interface Written {
  readonly default?: readonly Toleration[];
  readonly whitelist?: readonly Toleration[];
}

/** Pods tolerate what their namespace says, and nothing else: podtolerationrestriction.admission.k8s.io/v1alpha1. */
export const podTolerationRestriction: PluginEntry = {
  name: 'PodTolerationRestriction',
  byDefault: false,
  create({ configuration }) {
    const cluster = (configuration as Written | undefined) ?? {};
    return {
      name: 'PodTolerationRestriction',
      operations: ['CREATE', 'UPDATE'],
      resources: ['/pods'],
      mutate(attributes, registry) {
        const pod = objectAs<Pod>(attributes);
        const own = pod.spec.tolerations ?? [];
        const given =
          attributes.operation === 'CREATE'
            ? (annotated(attributes, registry, defaultsAnnotation) ?? cluster.default ?? [])
            : [];
        const extra = qosClassOf(pod.spec as Pod['spec']) === 'BestEffort' ? [] : [memoryPressure];
        const merged = mergeTolerations([...given, ...own, ...extra]);
        if (merged.length > 0) pod.spec.tolerations = merged.map((toleration) => ({ ...toleration }));
      },
      validate(attributes, registry) {
        const tolerations = (objectAs<Pod>(attributes).spec.tolerations ?? []) as Mutable<Toleration>[];
        const allowed = annotated(attributes, registry, allowedAnnotation) ?? cluster.whitelist ?? [];
        if (allowed.length === 0 || tolerations.every((one) => allowed.some((wide) => isCovered(one, wide)))) return;
        throw new ApiError(
          500,
          '',
          'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
        );
      },
    };
  },
};

function annotated(
  { request }: AdmissionAttributes,
  registry: Registry,
  annotation: string,
): readonly Toleration[] | undefined {
  const namespace = lookUp(registry, Namespace, { name: request.namespace });
  if (namespace === undefined) throw notFound(Namespace, request.namespace);
  const text = namespace.metadata.annotations?.[annotation];
  if (text === undefined) return undefined;
  if (text === '') return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed as Toleration[];
  } catch {
    // Told below, like a value of another shape.
  }
  throw new ApiError(500, '', `namespace ${request.namespace}: ${annotation} is no list of tolerations`);
}
