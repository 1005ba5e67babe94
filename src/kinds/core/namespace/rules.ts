import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { fieldError } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateNamespace } from './validation.ts';

export const namespaceRules: KindRules<core.Namespace> = {
  validate: validateNamespace,
  defaults(namespace) {
    if ((namespace.metadata.name ?? '') !== '') labelWithName(namespace);
    namespace.status ??= {};
    namespace.status.phase ??= 'Active';
  },
  prepareForCreate(namespace) {
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] };
    namespace.status = { phase: 'Active' };
  },
  // A name that the server made up is known only now.
  prepareForStorage: labelWithName,
  /** Only the subresource `finalize` takes finalizers away. */
  prepareForUpdate(namespace, old) {
    namespace.spec = { ...(old.spec as Mutable<core.NamespaceSpec> | undefined) };
  },
  validateStatusUpdate({ metadata, status }) {
    const isActive = metadata.deletionTimestamp === undefined;
    const wanted = isActive ? 'Active' : 'Terminating';
    if (status?.phase === wanted) return [];
    const detail = `may only be '${wanted}' if \`deletionTimestamp\` is ${isActive ? '' : 'not '}empty`;
    return [fieldError.invalid('status.Phase', status?.phase ?? '', detail)];
  },
  keepsFromDeletion: ({ spec }) => (spec?.finalizers ?? []).length > 0,
  endsQuietly: true,
  beginDeletion(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
  nameRule: 'label',
  hasGeneration: false,
};

const nameLabel = 'kubernetes.io/metadata.name';

function labelWithName({ metadata }: Mutable<core.Namespace>): void {
  const { name = '', labels } = metadata;
  if (labels?.[nameLabel] !== name) metadata.labels = { ...labels, [nameLabel]: name };
}
