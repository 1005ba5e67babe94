import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { hasEmptied } from '#machinery/sent-empty.ts';
import type { RuleEngine } from '../rules-hook.ts';
import { withCondition } from './conditions.ts';
import {
  definitionNameProblems,
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
} from './validate.ts';
import { unknownFormats } from './validate-schema.ts';

/** Holds a definition until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** What a CustomResourceDefinition means (apiextensions/v1). */
export const definitionRules = (engine: RuleEngine): KindRules<CustomResourceDefinition> => ({
  defaults(definition) {
    const { spec } = definition;
    if (spec === undefined) return;
    defaultStoredVersions(definition);
    spec.names ??= { plural: '', kind: '' };
    const { names } = spec;
    if ((names.singular ?? '') === '' && (names.kind ?? '') !== '') names.singular = names.kind.toLowerCase();
    if ((names.listKind ?? '') === '' && (names.kind ?? '') !== '') names.listKind = `${names.kind}List`;
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service !== undefined) service.port ??= 443;
  },
  prepareForCreate(definition) {
    definition.status = emptyStatus(definition);
    dropPreserved(definition);
  },
  prepareForUpdate(definition, old) {
    dropPreserved(definition);
    // Items that are no schema are kept as none, but are something as long as they are in memory.
    if (hasEmptied(definition.spec, 'items')) definition.metadata.generation = (old.metadata.generation ?? 0) + 1;
    const status = emptyStatus(definition);
    const { storedVersions = [] } = old.status ?? {};
    const missing = (status.storedVersions ?? []).filter((name) => !storedVersions.includes(name));
    if (missing.length > 0)
      definition.status = { ...status, ...definition.status, storedVersions: [...storedVersions, ...missing] };
  },
  nameProblems: definitionNameProblems,
  validate: (definition) => validateDefinition(definition, engine),
  validateUpdate: (definition, old) => validateDefinitionUpdate(definition, old, engine),
  validateStatusUpdate: (definition) => validateDefinitionStatus(definition),
  validateUpdateOnly: true,
  warnings: (definition, old) => formatWarnings(definition, old),
  finalizerRule: 'any',
  keepsStatusOnCreate: true,
  holdsJson: true,
  emptyFieldCounts: 'items',
  allowUnconditionalUpdate: false,
  deletionFinalizer: cleanupFinalizer,
  endsQuietly: true,
  beginDeletion(definition, now) {
    definition.status = {
      ...definition.status,
      conditions: withCondition(
        definition.status?.conditions ?? [],
        {
          type: 'Terminating',
          status: 'True',
          reason: 'InstanceDeletionPending',
          message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
        },
        now,
      ),
    } as Mutable<CustomResourceDefinition>['status'] & object;
  },
});

/** Formats that nobody knows are most likely misspelt; those that were there before have been told. */
function formatWarnings(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly string[] {
  const before = new Set(old === undefined ? [] : formatsOf(old));
  return formatsOf(definition)
    .filter((format) => !before.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

function formatsOf({ spec }: CustomResourceDefinition): readonly string[] {
  return (spec.versions ?? []).flatMap(({ schema }) =>
    schema?.openAPIV3Schema === undefined ? [] : unknownFormats(schema.openAPIV3Schema),
  );
}

function emptyStatus({
  spec,
}: Mutable<CustomResourceDefinition>): Mutable<CustomResourceDefinition>['status'] & object {
  // Of several the first, until validation has refused them.
  const storedVersions = (spec.versions ?? [])
    .filter(({ storage }) => storage)
    .map(({ name }) => name)
    .slice(0, 1);
  return { acceptedNames: { plural: '', kind: '' }, storedVersions } as ReturnType<typeof emptyStatus>;
}

/** Without any that is known, the one that is stored now. */
function defaultStoredVersions(definition: Mutable<CustomResourceDefinition>): void {
  const stored = definition.spec.versions?.find(({ storage }) => storage);
  if (stored === undefined || (definition.status?.storedVersions ?? []).length > 0) return;
  definition.status = { ...definition.status, storedVersions: [stored.name] } as typeof definition.status;
}

/** The zero value is not kept. */
function dropPreserved({ spec }: Mutable<CustomResourceDefinition>): void {
  if (spec.preserveUnknownFields === false) delete spec.preserveUnknownFields;
}
