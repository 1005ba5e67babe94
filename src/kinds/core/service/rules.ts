import type { Service } from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { ipWarnings } from '#machinery/ip.ts';
import type { Mutable } from '#machinery/meta.ts';
import { dropFieldsOfOtherTypes } from './update.ts';
import { isTrafficPolicy, validateService, validateServiceStatus, validateServiceUpdate } from './validation.ts';
import { serviceWarnings } from './warnings.ts';

const affinityTimeoutSeconds = 10_800;

export const serviceRules: KindRules<Service> = {
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
  statusWarnings: ({ status }) =>
    (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '' }, index) =>
      ipWarnings(ip, `status.loadBalancer.ingress[${index}]`),
    ),
  defaults(service) {
    const { spec } = service;
    spec.sessionAffinity ??= 'None';
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
    if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
      spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: affinityTimeoutSeconds } };
    }
    spec.type ??= 'ClusterIP';
    for (const port of spec.ports ?? []) {
      port.protocol ??= 'TCP';
      if ((port.targetPort ?? 0) === 0 || port.targetPort === '') port.targetPort = port.port;
    }
    const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
    const takesOutsideTraffic = isExternal || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
    if (takesOutsideTraffic) spec.externalTrafficPolicy ??= 'Cluster';
    if (isExternal || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster';
    if (spec.type === 'LoadBalancer') defaultLoadBalancer(service);
  },
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
  },
  prepareForStorage: dropInternalPolicy,
  prepareForUpdate(service, old) {
    dropFieldsOfOtherTypes(service, old);
    if (isTrafficPolicy(service.spec.internalTrafficPolicy)) dropInternalPolicy(service);
  },
  selectableFields: {
    'spec.clusterIP': (service) => service.spec.clusterIP ?? '',
    'spec.type': (service) => service.spec.type ?? '',
  },
  nameRule: 'label',
  allowCreateOnUpdate: true,
  hasGeneration: false,
};

/** It may be said of a name of somebody else's, and is not kept. */
function dropInternalPolicy({ spec }: Mutable<Service>): void {
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy;
}

function defaultLoadBalancer(service: Mutable<Service>): void {
  service.spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
    if (ingress.ip !== undefined) ingress.ipMode ??= 'VIP';
  }
}
