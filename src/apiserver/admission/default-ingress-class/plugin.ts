import { IngressClass } from '#kinds/generated/handles.ts';
import type { Ingress } from '#kinds/generated/types/networking_v1.ts';
import { newestDefault } from '../default-storage-class/newest.ts';
import { type AdmissionPlugin, lookUpAll, objectAs } from '../plugin.ts';

const marks = ['ingressclass.kubernetes.io/is-default-class'];
const olderWay = 'kubernetes.io/ingress.class';

/** Ingresses that name no class get the cluster's default one. */
export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  operations: ['CREATE'],
  resources: ['networking.k8s.io/ingresses'],
  mutate(attributes, registry) {
    const ingress = objectAs<Ingress>(attributes);
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.[olderWay] !== undefined) return;
    const name = newestDefault(lookUpAll(registry, IngressClass), marks);
    if (name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: name };
  },
};
