import { autoscalerFromFirst, autoscalerToFirst } from '#kinds/autoscaling/horizontal-pod-autoscaler/conversion.ts';
import type { HorizontalPodAutoscaler as FirstVersion } from '#kinds/generated/types/autoscaling_v1.ts';
import type { HorizontalPodAutoscaler } from '#kinds/generated/types/autoscaling_v2.ts';
import type * as current from '#kinds/generated/types/resource_v1.ts';
import type * as beta from '#kinds/generated/types/resource_v1beta1.ts';
import type { Kind } from '#kinds/kind.ts';
import {
  claimFromBeta,
  claimToBeta,
  sliceFromBeta,
  sliceToBeta,
  templateFromBeta,
  templateToBeta,
} from '#kinds/resource/conversion.ts';
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
  'resource.k8s.io/v1/ResourceClaim>resource.k8s.io/v1beta1/ResourceClaim': (object) =>
    claimToBeta(object as current.ResourceClaim),
  'resource.k8s.io/v1beta1/ResourceClaim>resource.k8s.io/v1/ResourceClaim': (object) =>
    claimFromBeta(object as beta.ResourceClaim),
  'resource.k8s.io/v1beta2/ResourceClaim>resource.k8s.io/v1beta1/ResourceClaim': (object) =>
    claimToBeta(object as current.ResourceClaim),
  'resource.k8s.io/v1beta1/ResourceClaim>resource.k8s.io/v1beta2/ResourceClaim': (object) =>
    claimFromBeta(object as beta.ResourceClaim),
  'resource.k8s.io/v1/ResourceClaimTemplate>resource.k8s.io/v1beta1/ResourceClaimTemplate': (object) =>
    templateToBeta(object as current.ResourceClaimTemplate),
  'resource.k8s.io/v1beta1/ResourceClaimTemplate>resource.k8s.io/v1/ResourceClaimTemplate': (object) =>
    templateFromBeta(object as beta.ResourceClaimTemplate),
  'resource.k8s.io/v1beta2/ResourceClaimTemplate>resource.k8s.io/v1beta1/ResourceClaimTemplate': (object) =>
    templateToBeta(object as current.ResourceClaimTemplate),
  'resource.k8s.io/v1beta1/ResourceClaimTemplate>resource.k8s.io/v1beta2/ResourceClaimTemplate': (object) =>
    templateFromBeta(object as beta.ResourceClaimTemplate),
  'resource.k8s.io/v1/ResourceSlice>resource.k8s.io/v1beta1/ResourceSlice': (object) =>
    sliceToBeta(object as current.ResourceSlice),
  'resource.k8s.io/v1beta1/ResourceSlice>resource.k8s.io/v1/ResourceSlice': (object) =>
    sliceFromBeta(object as beta.ResourceSlice),
  'resource.k8s.io/v1beta2/ResourceSlice>resource.k8s.io/v1beta1/ResourceSlice': (object) =>
    sliceToBeta(object as current.ResourceSlice),
  'resource.k8s.io/v1beta1/ResourceSlice>resource.k8s.io/v1beta2/ResourceSlice': (object) =>
    sliceFromBeta(object as beta.ResourceSlice),
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
