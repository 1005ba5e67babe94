import type { CustomResourceDefinitionVersion } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';

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
    const part = (name: VersionPart): unknown => (shared.has(name) ? null : (version[name] ?? null));
    return {
      Name: version.name,
      Served: version.served,
      Storage: version.storage,
      Deprecated: version.deprecated ?? false,
      DeprecationWarning: version.deprecationWarning ?? null,
      Schema: part('schema'),
      Subresources: part('subresources'),
      AdditionalPrinterColumns: part('additionalPrinterColumns'),
      SelectableFields: part('selectableFields'),
    };
  });
}
