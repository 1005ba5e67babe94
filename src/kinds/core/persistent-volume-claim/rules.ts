import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { defaultClaimSpec } from '../pod/volume-defaults.ts';
import { validateClaim, validateClaimUpdate } from '../validation.ts';

export const persistentVolumeClaimRules: KindRules<core.PersistentVolumeClaim> = {
  validate: validateClaim,
  validateUpdate: validateClaimUpdate,
  defaults(claim) {
    claim.status ??= {};
    claim.status.phase ??= 'Pending';
    if (claim.spec !== undefined) {
      defaultClaimSpec(claim.spec);
      mirrorDataSource(claim.spec);
    }
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
  },
  hasGeneration: false,
};

const ownGroups: ReadonlySet<string> = new Set(['', 'snapshot.storage.k8s.io']);

/** `dataSource` and `dataSourceRef` say the same, where the older field can. */
function mirrorDataSource(spec: Mutable<core.PersistentVolumeClaimSpec>): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) {
    spec.dataSourceRef = { ...dataSource };
  } else if (dataSourceRef !== undefined && dataSource === undefined && dataSourceRef.namespace === undefined) {
    if (ownGroups.has(dataSourceRef.apiGroup ?? '')) {
      const { namespace: _, ...local } = dataSourceRef;
      spec.dataSource = local;
    }
  }
}
