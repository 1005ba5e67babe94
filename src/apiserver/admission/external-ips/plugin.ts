import type { Service } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, refusal } from '../plugin.ts';

/** Services take no addresses that others may own (CVE-2020-8554); what they have they may keep. */
export const denyServiceExternalIPs: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/services'],
  validate(attributes) {
    const had = new Set((attributes.oldObject as Service | undefined)?.spec?.externalIPs ?? []);
    const wanted = (attributes.object as Service).spec?.externalIPs ?? [];
    if (wanted.some((address) => !had.has(address)))
      throw refusal(attributes, 'Use of external IPs is denied by admission control');
  },
};
