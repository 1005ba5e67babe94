import { type AdmissionPlugin, refusal } from '../plugin.ts';

/** Has no objections: kept for configurations that name it. */
export const alwaysAdmit: AdmissionPlugin = { name: 'AlwaysAdmit', operations: [] };

/** Refuses every write, for tests of what depends on admission. */
export const alwaysDeny: AdmissionPlugin = {
  name: 'AlwaysDeny',
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
  mutate(attributes) {
    throw refusal(attributes, 'admission control is denying all modifications');
  },
};
