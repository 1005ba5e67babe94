/** Server-side apply and the tracking of who owns which field (KEP-555). Start with apply-patch.ts. */
export { type ApplyOptions, applyPatch, checkConfiguration } from './apply-patch.ts';
export { type TrackUpdateOptions, trackUpdate } from './track-update.ts';
export type { Versions } from './versions.ts';
