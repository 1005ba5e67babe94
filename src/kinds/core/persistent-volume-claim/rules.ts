import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules, RuleContext } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { defaultClaimSpec } from '../pod/volume-defaults.ts';
import { validateClaim, validateClaimStatus, validateClaimUpdate } from './validation.ts';
import { claimWarnings } from './warnings.ts';

export const persistentVolumeClaimRules: KindRules<core.PersistentVolumeClaim> = {
  validate: validateClaim,
  validateUpdate: validateClaimUpdate,
  validateStatusUpdate: validateClaimStatus,
  warnings: claimWarnings,
  defaults(claim) {
    claim.status ??= {};
    claim.status.phase ??= 'Pending';
    if (claim.spec !== undefined) defaultClaimSpec(claim.spec);
  },
  prepareForCreate(claim, context) {
    claim.status = { phase: 'Pending' };
    if (claim.spec === undefined) return;
    dropForeignSource(claim.spec, context);
    dropForeignOldSource(claim.spec);
    mirrorDataSource(claim.spec);
  },
  prepareForUpdate(claim, old, context) {
    if (claim.spec === undefined) return;
    const before = old.spec ?? {};
    if (before.dataSourceRef === undefined) dropForeignSource(claim.spec, context);
    const wasUsed = before.dataSource !== undefined || before.dataSourceRef !== undefined;
    if (!wasUsed) dropForeignOldSource(claim.spec);
    mirrorDataSource(claim.spec);
  },
  hasGeneration: false,
};

/** Sources in other namespaces are behind a feature gate (KEP-3294). */
function dropForeignSource(spec: Mutable<core.PersistentVolumeClaimSpec>, { featureEnabled }: RuleContext): void {
  const isForeign = (spec.dataSourceRef?.namespace ?? '') !== '';
  if (isForeign && !featureEnabled('CrossNamespaceVolumeDataSource')) delete spec.dataSourceRef;
}

/** What the older field says is ignored where only an old client could have said it. */
function dropForeignOldSource(spec: Mutable<core.PersistentVolumeClaimSpec>): void {
  if (spec.dataSourceRef === undefined && !isOwnSource(spec.dataSource)) delete spec.dataSource;
}

/** The older field only ever spoke of claims and snapshots. */
function isOwnSource(source: core.TypedLocalObjectReference | undefined): boolean {
  if (source === undefined) return true;
  const { apiGroup = '', kind } = source;
  if (apiGroup === '') return kind === 'PersistentVolumeClaim';
  return apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot';
}

/** `dataSource` and `dataSourceRef` say the same, where the older field can. */
function mirrorDataSource(spec: Mutable<core.PersistentVolumeClaimSpec>): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) {
    spec.dataSourceRef = { ...dataSource };
  } else if (dataSourceRef !== undefined && dataSource === undefined && (dataSourceRef.namespace ?? '') === '') {
    const { namespace: _, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}
