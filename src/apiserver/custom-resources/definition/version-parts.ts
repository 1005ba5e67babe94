import type { CustomResourceDefinitionVersion } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { shownSchema } from './shown-schema.ts';

type Version = CustomResourceDefinitionVersion;

/** What a version says that all versions may say alike. */
const parts = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;
export type VersionPart = (typeof parts)[number];

/** Where upstream's messages look for a part that all versions share: in the definition itself. */
const sharedPaths: Readonly<Record<VersionPart, string>> = {
  schema: 'spec.validation',
  subresources: 'spec.subresources',
  additionalPrinterColumns: 'spec.additionalPrinterColumns',
  selectableFields: 'spec.selectableFields',
};

/** Parts that are the same in every version: they are checked, and spoken of, once. */
export function sharedParts(versions: readonly Version[]): ReadonlySet<VersionPart> {
  const [first, ...others] = versions;
  return new Set(parts.filter((part) => others.every((version) => equalValues(version[part], first?.[part]))));
}

/** The paths of a version's parts. */
export function partPaths(
  path: string,
  shared: ReadonlySet<VersionPart>,
): Readonly<Record<VersionPart | 'own', string>> {
  const own = Object.fromEntries(
    parts.map((part) => [part, shared.has(part) ? sharedPaths[part] : `${path}.${part}`]),
  ) as Record<VersionPart, string>;
  return { ...own, own: path };
}

/** Versions as upstream's messages show them: in its own field names, without what they share. */
export function shownVersions(versions: readonly Version[], shared: ReadonlySet<VersionPart>): readonly object[] {
  return versions.map((version) => {
    const own = <P extends VersionPart>(name: P): Version[P] | undefined =>
      shared.has(name) ? undefined : version[name];
    return {
      Name: version.name,
      Served: version.served,
      Storage: version.storage,
      Deprecated: version.deprecated ?? false,
      DeprecationWarning: version.deprecationWarning ?? null,
      Schema: shownValidation(own('schema')),
      Subresources: shownSubresources(own('subresources')),
      AdditionalPrinterColumns: own('additionalPrinterColumns')?.map(shownColumn) ?? null,
      SelectableFields: own('selectableFields')?.map(({ jsonPath }) => ({ JSONPath: jsonPath })) ?? null,
    };
  });
}

function shownValidation(schema: Version['schema']): object | null {
  if (schema === undefined) return null;
  const { openAPIV3Schema: props } = schema;
  return { OpenAPIV3Schema: props === undefined ? null : shownSchema(props) };
}

function shownSubresources(subresources: Version['subresources']): object | null {
  if (subresources === undefined) return null;
  const { status, scale } = subresources;
  const { specReplicasPath = '', statusReplicasPath = '', labelSelectorPath = null } = scale ?? {};
  return {
    Status: status === undefined ? null : {},
    Scale:
      scale === undefined
        ? null
        : {
            SpecReplicasPath: specReplicasPath,
            StatusReplicasPath: statusReplicasPath,
            LabelSelectorPath: labelSelectorPath,
          },
  };
}

function shownColumn(column: NonNullable<Version['additionalPrinterColumns']>[number]): object {
  const { name = '', type = '', format = '', description = '', priority = 0, jsonPath = '' } = column;
  return { Name: name, Type: type, Format: format, Description: description, Priority: priority, JSONPath: jsonPath };
}
