import { autoscalerFromFirst, autoscalerToFirst } from '#kinds/autoscaling/horizontal-pod-autoscaler/conversion.ts';
import type { HorizontalPodAutoscaler as FirstVersion } from '#kinds/generated/types/autoscaling_v1.ts';
import type { HorizontalPodAutoscaler } from '#kinds/generated/types/autoscaling_v2.ts';
import type { Kind } from '#kinds/kind.ts';
import { type ApiObject, apiVersionOf } from '#machinery/meta.ts';
import { eventFromCore, eventToCore } from './event-conversion.ts';

export type Converter = (object: ApiObject) => ApiObject;

/**
 * How an object of one version becomes another. Most versions of a kind have the same fields and differ in their
 * `apiVersion` alone; the others are listed here, as `source>target`.
 */
const special: Readonly<Record<string, Converter>> = {
  'v1/Event>events.k8s.io/v1/Event': eventFromCore,
  'events.k8s.io/v1/Event>v1/Event': eventToCore,
  'autoscaling/v2/HorizontalPodAutoscaler>autoscaling/v1/HorizontalPodAutoscaler': (object) =>
    autoscalerToFirst(object as HorizontalPodAutoscaler),
  'autoscaling/v1/HorizontalPodAutoscaler>autoscaling/v2/HorizontalPodAutoscaler': (object) =>
    autoscalerFromFirst(object as FirstVersion),
};

export function converterBetween(from: Kind, to: Kind): Converter {
  const apiVersion = apiVersionOf(to);
  const convert = special[`${apiVersionOf(from)}/${from.kind}>${apiVersion}/${to.kind}`];
  return (object) => ({ ...(convert === undefined ? object : convert(object)), apiVersion });
}
