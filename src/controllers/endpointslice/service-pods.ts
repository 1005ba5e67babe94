import type { ControllerContext, InformerEvent } from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { byNamespace } from '#client/object-cache.ts';
import { keyOf } from '#client/object-key.ts';
import { isPodReady } from '#kinds/core/pod/state.ts';
import { Pod as PodKind, Service as ServiceKind } from '#kinds/generated/handles.ts';
import type { Pod, Service } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type LabelMatch, mapMatch } from '../shared/match.ts';

/** Services and the pods behind them; queues a service when either changes in a way that its endpoints show. */
export class ServicePods {
  readonly services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #matchers = new WeakMap<Service, LabelMatch>();

  constructor(context: ControllerContext) {
    this.services = context.watch(ServiceKind, (service) => [keyOf(service)]);
    this.services.index('namespace', byNamespace);
    this.#pods = context.watch(PodKind, (pod, event) => this.#servicesOf(pod, event));
    this.#pods.index('namespace', byNamespace);
  }

  podsOf(service: Service): readonly Pod[] {
    const matches = this.#matcher(service);
    const pods = this.#pods.index('namespace', byNamespace).get(service.metadata.namespace ?? '');
    return pods.filter((pod) => matches(pod.metadata.labels));
  }

  #servicesOf(pod: Pod, event: InformerEvent<Pod>): readonly string[] {
    if (event.type === 'updated' && !showsInEndpoints(event.old, event.current)) return [];
    const services = this.services.index('namespace', byNamespace).get(pod.metadata.namespace ?? '');
    return services.filter((service) => this.#matcher(service)(pod.metadata.labels)).map(keyOf);
  }

  #matcher(service: Service): LabelMatch {
    let matcher = this.#matchers.get(service);
    if (matcher === undefined) {
      matcher = hasSelector(service) ? mapMatch(service.spec?.selector) : () => false;
      this.#matchers.set(service, matcher);
    }
    return matcher;
  }
}

/** Whether the service's endpoints are made from pods; those of others are written by users. */
export function hasSelector({ spec }: Service): boolean {
  return spec?.selector !== undefined && Object.keys(spec.selector).length > 0 && spec.type !== 'ExternalName';
}

function showsInEndpoints(old: Pod, pod: Pod): boolean {
  return (
    old.status?.phase !== pod.status?.phase ||
    isPodReady(old) !== isPodReady(pod) ||
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    !equalValues(old.status?.podIPs, pod.status?.podIPs) ||
    old.status?.podIP !== pod.status?.podIP ||
    !equalValues(old.metadata.labels, pod.metadata.labels)
  );
}
