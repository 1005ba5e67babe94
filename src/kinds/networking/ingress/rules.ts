import type { Ingress } from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { ipWarnings } from '#machinery/ip.ts';
import { validateIngress, validateIngressStatus } from '../validation.ts';

export const ingressRules: KindRules<Ingress> = {
  validate: validateIngress,
  validateStatusUpdate: validateIngressStatus,
  statusWarnings: ({ status }) =>
    (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '' }, index) =>
      ipWarnings(ip, `status.loadBalancer.ingress[${index}]`),
    ),
};
